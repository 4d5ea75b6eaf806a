-- case: a star is expanded by the schema, in order
-- schema: t(a, b), u(c)
CREATE TABLE n AS SELECT * FROM t CROSS JOIN u
-- > n.a <- t.a
-- > n.b <- t.b
-- > n.c <- u.c

-- case: except and replace
-- dialect: bigquery
-- schema: t(a, b, c)
SELECT * EXCEPT (a) REPLACE (b + c AS b) FROM t
-- > b <- t.b:TRANSFORMATION, t.c:TRANSFORMATION
-- > c <- t.c:IDENTITY

-- case: exclude and rename
-- dialect: snowflake
-- schema: T(A, B, C)
SELECT * EXCLUDE (a) RENAME (b AS z) FROM t
-- > z <- t.b
-- > c <- t.c

-- case: USING gives one column, fed by both sides
-- schema: t(k, a), u(k, b)
SELECT * FROM t JOIN u USING (k)
-- > k <- t.k, u.k
-- > a <- t.a
-- > b <- u.b
-- > every row <- t.k:JOIN, u.k:JOIN

-- case: NATURAL joins by the common columns
-- schema: t(k, a), u(k, b)
SELECT k, a, b FROM t NATURAL JOIN u
-- > k <- t.k, u.k
-- > a <- t.a
-- > b <- u.b

-- case: a semi join shows one side
-- dialect: spark
-- schema: t(k, a), u(k, b)
SELECT * FROM t LEFT SEMI JOIN u ON t.k = u.k
-- > tables t, u ->
-- > k <- t.k
-- > a <- t.a
-- > every row <- t.k:JOIN, u.k:JOIN

-- case: through an unknown star a name still arrives
WITH q AS (SELECT * FROM t) SELECT a, b + 1 AS c FROM q
-- > a <- t.a:IDENTITY
-- > c <- t.b:TRANSFORMATION

-- case: an excluded name does not
-- dialect: duckdb
WITH q AS (SELECT * EXCLUDE (a) FROM t), r AS (SELECT * FROM q, u) SELECT a FROM r
-- > a <- u.a

-- case: a struct's star
-- dialect: bigquery
-- schema: d.t(id int64, s struct<x int64, y array<string>>)
SELECT id, s.* FROM d.t
-- > id <- d.t.id
-- > x <- d.t.s.x
-- > y <- d.t.s.y

-- case: a join in parentheses
-- schema: t(a), u(b)
SELECT * FROM ((t CROSS JOIN u))
-- > a <- t.a
-- > b <- u.b

-- case: count of a star reads no column
-- schema: t(a, b)
SELECT count(*) AS n, count(t.*) AS m FROM t
-- > n <-
-- > m <-
