-- case: UNNEST of one array
-- dialect: bigquery
SELECT t.id, x FROM d.t AS t, UNNEST(t.xs) AS x
-- > tables d.t ->
-- > id <- d.t.id
-- > x <- d.t.xs:TRANSFORMATION

-- case: UNNEST of several, by position, with a number
-- dialect: trino
SELECT a, b, n FROM t CROSS JOIN UNNEST(xs, ys) WITH ORDINALITY AS u (a, b, n)
-- > a <- t.xs
-- > b <- t.ys
-- > n <-

-- case: an array of structs built before
-- dialect: bigquery
WITH q AS (SELECT [STRUCT(a AS x, b AS y)] AS xs FROM d.t) SELECT e.x, e.y FROM q, UNNEST(q.xs) AS e
-- > x <- d.t.a
-- > y <- d.t.b

-- case: FLATTEN
-- dialect: snowflake
SELECT f.value:name::string AS n, f.index AS i FROM t, LATERAL FLATTEN(input => t.doc) f
-- > N <- T.DOC
-- > I <-

-- case: LATERAL VIEW
-- dialect: hive
SELECT id, k, v, p FROM t LATERAL VIEW explode(m) e AS k, v LATERAL VIEW posexplode(xs) q AS p, x
-- > id <- t.id
-- > k <- t.m
-- > v <- t.m
-- > p <-

-- case: stack
-- dialect: spark
SELECT stack(2, a, b, c, d) AS (x, y) FROM t
-- > x <- t.a, t.c
-- > y <- t.b, t.d

-- case: a list of aliases for one call
-- dialect: spark
SELECT explode(m) AS (k, v) FROM t
-- > k <- t.m
-- > v <- t.m

-- case: JSON_TABLE
-- dialect: mysql
SELECT j.a, t.id FROM t, JSON_TABLE(t.doc, '$[*]' COLUMNS (a INT PATH '$.a')) AS j
-- > a <- t.doc
-- > id <- t.id

-- case: OPENJSON
-- dialect: tsql
SELECT t.id, j.a FROM t CROSS APPLY OPENJSON(t.doc) WITH (a INT '$.a') AS j
-- > id <- t.id
-- > a <- t.doc

-- case: a lateral subquery
-- dialect: postgres
-- schema: t(id), s(k, v)
SELECT t.id, l.m FROM t, LATERAL (SELECT max(s.v) AS m FROM s WHERE s.k = t.id) AS l
-- > id <- t.id
-- > m <- s.v:AGGREGATION
-- > every row <- s.k:FILTER, t.id:FILTER

-- case: CROSS APPLY
-- dialect: tsql
SELECT t.id, q.v FROM t CROSS APPLY (SELECT TOP 1 s.v FROM s WHERE s.k = t.id ORDER BY s.d) AS q
-- > id <- t.id
-- > v <- s.v

-- case: an array as a source
-- dialect: athena
SELECT i.sku FROM orders o, o.items i
-- > tables orders ->
-- > sku <- orders.items

-- case: a series reads nothing
-- dialect: postgres
SELECT d, t.a FROM generate_series(1, 10) AS d, t
-- > tables t ->
-- > d <-
-- > a <- t.a

-- case: ARRAY JOIN
-- dialect: clickhouse
SELECT id, x FROM t ARRAY JOIN xs AS x
-- > id <- t.id
-- > x <- t.xs

-- case: a dictionary is a table
-- dialect: clickhouse
SELECT dictGet('d.countries', 'name', code) AS n FROM t
-- > tables d.countries, t ->
-- > n <- d.countries.name, t.code

-- case: a nested collection of Impala
-- dialect: hive
-- schema: db.t(id, xs array<int>)
SELECT x.item FROM db.t.xs AS x
-- > tables db.t ->
-- > item <- db.t.xs

-- case: a semantic view
-- dialect: snowflake
SELECT total FROM SEMANTIC_VIEW(db.sch.sales METRICS total)
-- > tables DB.SCH.SALES ->
-- > TOTAL <- DB.SCH.SALES.TOTAL

-- case: MATCH_RECOGNIZE
-- dialect: snowflake
SELECT m.a, m.d FROM s MATCH_RECOGNIZE (PARTITION BY a ORDER BY b MEASURES first(x.c) AS d PATTERN (x+) DEFINE x AS x.e > 1) AS m
-- > A <- S.A
-- > D <- S.C
-- > every row <- S.E:FILTER, S.B:SORT
