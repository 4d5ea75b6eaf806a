-- case: identity, transformation, aggregation
SELECT a AS x, b + 1 AS y, sum(c) AS z, 2 * avg(d) AS w FROM t GROUP BY a, b
-- > x <- t.a:IDENTITY
-- > y <- t.b:TRANSFORMATION
-- > z <- t.c:AGGREGATION
-- > w <- t.d:AGGREGATION

-- case: the strongest on the way wins
WITH q AS (SELECT sum(a) AS s, b FROM t GROUP BY b) SELECT s + 1 AS x, b FROM q
-- > x <- t.a:AGGREGATION
-- > b <- t.b:IDENTITY

-- case: CASE tests are conditions, its results are values
SELECT CASE WHEN a > 1 THEN b ELSE c + d END AS x FROM t
-- > x <- t.a:CONDITIONAL, t.b:TRANSFORMATION, t.c:TRANSFORMATION, t.d:TRANSFORMATION

-- case: COALESCE and NULLIF test their arguments
SELECT coalesce(a, b) AS x, nullif(c, d) AS y FROM t
-- > x <- t.a:TRANSFORMATION, t.a:CONDITIONAL, t.b:TRANSFORMATION, t.b:CONDITIONAL
-- > y <- t.c:TRANSFORMATION, t.c:CONDITIONAL, t.d:CONDITIONAL

-- case: IF, IIF and DECODE
-- dialect: snowflake
SELECT iff(a, b, c) AS x, decode(d, 1, e, f) AS y, nvl2(g, h, i) AS z FROM t
-- > x <- t.a:CONDITIONAL, t.b:TRANSFORMATION, t.c:TRANSFORMATION
-- > y <- t.d:CONDITIONAL, t.e:TRANSFORMATION, t.f:TRANSFORMATION
-- > z <- t.g:CONDITIONAL, t.h:TRANSFORMATION, t.i:TRANSFORMATION

-- case: the keys of OVER belong to the column
SELECT sum(a) OVER (PARTITION BY b ORDER BY c) AS s, lag(d) OVER (ORDER BY e) AS l, rank() OVER (ORDER BY f) AS r FROM t
-- > s <- t.a:AGGREGATION, t.b:WINDOW, t.c:WINDOW
-- > l <- t.d:TRANSFORMATION, t.e:WINDOW
-- > r <- t.f:WINDOW

-- case: the keys of the WINDOW clause belong to the query
SELECT sum(a) OVER w AS s, sum(b) OVER (w ORDER BY c) AS u FROM t WINDOW w AS (PARTITION BY k)
-- > s <- t.a:AGGREGATION
-- > u <- t.b:AGGREGATION, t.c:WINDOW
-- > every row <- t.k:WINDOW

-- case: FILTER and WITHIN GROUP
-- dialect: postgres
SELECT sum(a) FILTER (WHERE b) AS x, percentile_cont(0.5) WITHIN GROUP (ORDER BY c) AS y FROM t
-- > x <- t.a:AGGREGATION, t.b:CONDITIONAL
-- > y <- t.c:AGGREGATION

-- case: what decides rows is no value
SELECT a FROM t JOIN u ON t.k = u.k WHERE t.b > 1 GROUP BY a HAVING sum(c) > 2 ORDER BY max(u.d)
-- > a <- t|u.a:IDENTITY
-- > every row <- t.k:JOIN, u.k:JOIN, t.b:FILTER, t|u.c:FILTER, t|u.a:GROUP_BY, u.d:SORT

-- case: positions in GROUP BY and ORDER BY
SELECT a, sum(b) AS s FROM t GROUP BY 1 ORDER BY 2 DESC
-- > every row <- t.a:GROUP_BY, t.b:SORT

-- case: GROUP BY ALL takes what is no aggregate
-- dialect: duckdb
SELECT a, upper(b) AS c, sum(d) AS s FROM t GROUP BY ALL
-- > every row <- t.a:GROUP_BY, t.b:GROUP_BY

-- case: QUALIFY filters
-- dialect: snowflake
SELECT a FROM t QUALIFY row_number() OVER (PARTITION BY b ORDER BY c) = 1
-- > a <- t.a
-- > every row <- t.b:FILTER, t.c:FILTER

-- case: ORDER BY an alias
SELECT a + b AS s FROM t ORDER BY s
-- > every row <- t.a:SORT, t.b:SORT

-- case: lambda parameters are no columns
-- dialect: spark
SELECT transform(xs, x -> x + y) AS z FROM t
-- > z <- t.xs:TRANSFORMATION, t.y:TRANSFORMATION

-- case: parts of dates are no columns
-- dialect: snowflake
SELECT datediff(day, a, b) AS d, date_trunc(month, c) AS m, extract(year FROM e) AS y FROM t
-- > d <- t.a, t.b
-- > m <- t.c
-- > y <- t.e

-- case: IN and EXISTS in a projection
SELECT a IN (SELECT b FROM u) AS x, EXISTS (SELECT 1 FROM v WHERE v.k = t.k) AS y FROM t
-- > x <- t.a, u.b
-- > y <-
-- > every row <- v.k:FILTER, t.k:FILTER

-- case: INTERSECT and EXCEPT take values from the left
SELECT a FROM t EXCEPT SELECT b FROM u
-- > tables t, u ->
-- > a <- t.a
-- > every row <- u.b:FILTER

-- case: a function that nobody knows transforms, and is named
SELECT my_schema.clean(a, b) AS c FROM t
-- > c <- t.a:TRANSFORMATION, t.b:TRANSFORMATION
