-- case: a struct of a struct keeps its fields
-- dialect: bigquery
WITH q AS (SELECT STRUCT(id AS i, STRUCT(a AS aa, b AS bb) AS n) AS rec FROM d.s) SELECT rec.n.aa, rec.i, rec.n.* FROM q
-- > aa <- d.s.a
-- > i <- d.s.id
-- > bb <- d.s.b

-- case: a subquery AS STRUCT
-- dialect: bigquery
SELECT (SELECT AS STRUCT a, b FROM d.r).b AS z FROM d.s
-- > z <- d.r.b

-- case: structs that are aggregated and unpacked again
-- dialect: bigquery
WITH q AS (SELECT array_agg(STRUCT(a, b) ORDER BY c LIMIT 3) AS xs FROM d.s) SELECT x.a, x.b FROM q, UNNEST(xs) AS x
-- > a <- d.s.a:AGGREGATION
-- > b <- d.s.b:AGGREGATION

-- case: an array of a subquery
-- dialect: bigquery
WITH q AS (SELECT ARRAY(SELECT AS STRUCT a, b FROM d.s) AS xs FROM d.r) SELECT x.b FROM q, UNNEST(xs) AS x
-- > b <- d.s.b

-- case: a star shows the fields of what is unnested
-- dialect: bigquery
-- schema: d.s(id int64, xs array<struct<k string, v int64>>)
SELECT * EXCEPT (xs) FROM d.s, UNNEST(xs)
-- > id <- d.s.id
-- > k <- d.s.xs
-- > v <- d.s.xs

-- case: a record in a variable
-- dialect: bigquery
DECLARE r STRUCT<x INT64, y INT64>;
SET r = (SELECT AS STRUCT a AS x, b AS y FROM d.s);
INSERT INTO d.t (o) VALUES (r.y)
-- > d.t.o <- d.s.b

-- case: a struct in a UNION
-- dialect: bigquery
WITH q AS (SELECT STRUCT(a AS x) AS r FROM d.s UNION ALL SELECT STRUCT(b AS x) FROM d.u) SELECT r.x FROM q
-- > x <- d.s.a, d.u.b

-- case: fields of Spark
-- dialect: spark
SELECT struct(a AS x, b AS y).y AS z, s.f.g AS h, m['k'] AS v FROM t
-- > z <- t.b
-- > h <- t.s.f.g
-- > v <- t.m
