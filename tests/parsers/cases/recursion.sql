-- case: the anchor and the step both feed
WITH RECURSIVE r (id, path) AS (
  SELECT id, name FROM t WHERE boss IS NULL
  UNION ALL
  SELECT t.id, r.path || t.dept FROM t JOIN r ON t.boss = r.id
)
SELECT id, path FROM r
-- > tables t ->
-- > id <- t.id
-- > path <- t.name, t.dept

-- case: columns that change places need several rounds
WITH RECURSIVE r AS (
  SELECT a AS x, b AS y, c AS z FROM t
  UNION ALL
  SELECT y, z, x FROM r
)
SELECT x FROM r
-- > x <- t.a, t.b, t.c

-- case: T-SQL does not say RECURSIVE
-- dialect: tsql
WITH r AS (SELECT id, boss FROM t UNION ALL SELECT t.id, r.boss FROM t JOIN r ON r.id = t.boss) SELECT boss FROM r
-- > tables t ->
-- > boss <- t.boss

-- case: CONNECT BY
-- dialect: oracle
SELECT id, LEVEL AS depth FROM t START WITH boss IS NULL CONNECT BY PRIOR id = boss
-- > tables T ->
-- > ID <- T.ID
-- > DEPTH <-
