-- case: a SQL function is replaced by its body
-- dialect: bigquery
CREATE TEMP FUNCTION f(x INT64, y INT64) AS (CASE WHEN x > 0 THEN y END);
SELECT f(a, b) AS c FROM d.t
-- > c <- d.t.a:CONDITIONAL, d.t.b:TRANSFORMATION

-- case: an aggregate around a function
-- dialect: snowflake
CREATE FUNCTION twice(x INT) RETURNS INT AS 'x * 2';
SELECT sum(twice(a)) AS s FROM t
-- > S <- T.A:AGGREGATION

-- case: a table function is a view with arguments
-- dialect: bigquery
CREATE TABLE FUNCTION d.f(n INT64) AS SELECT a, b FROM d.t WHERE c > n;
SELECT a FROM d.f(1)
-- > tables d.t ->
-- > a <- d.t.a

-- case: a function's body in a string
-- dialect: postgres
CREATE FUNCTION f(n INT) RETURNS TABLE (a INT) AS $$ SELECT b FROM s WHERE c = n $$ LANGUAGE sql;
SELECT q.b FROM f(1) AS q
-- > tables s ->
-- > b <- s.b
