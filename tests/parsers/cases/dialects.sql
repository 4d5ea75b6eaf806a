-- case: Teradata's short words and NAMED
-- dialect: teradata
LOCKING ROW FOR ACCESS SEL a, b (NAMED c) FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) = 1
-- > tables t ->
-- > a <- t.a
-- > c <- t.b

-- case: Teradata's volatile tables
-- dialect: teradata
CREATE VOLATILE TABLE v AS (SELECT a FROM s) WITH DATA ON COMMIT PRESERVE ROWS; INS t (b) SEL a FROM v
-- > tables s -> t
-- > t.b <- s.a

-- case: a live table
-- dialect: databricks
CREATE OR REFRESH STREAMING LIVE TABLE t COMMENT 'x' AS SELECT a FROM STREAM(s)
-- > tables s -> t
-- > t.a <- s.a

-- case: MERGE of Oracle with DELETE
-- dialect: oracle
MERGE INTO t USING s ON (t.id = s.id) WHEN MATCHED THEN UPDATE SET t.a = s.x DELETE WHERE s.gone = 1
-- > tables s -> t
-- > T.A <- S.X

-- case: a remote table
-- dialect: clickhouse
SELECT a FROM remote('host', db.t)
-- > tables db.t ->

-- case: pipes
-- dialect: bigquery
FROM d.t |> WHERE a > 1 |> AGGREGATE sum(b) AS s GROUP BY c |> SELECT s, c
-- > tables d.t ->
-- > s <- d.t.b:AGGREGATION
-- > c <- d.t.c
-- > every row <- d.t.a:FILTER, d.t.c:GROUP_BY

-- case: columns that CREATE lists come beside those of the query
-- dialect: mysql
CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY) AS SELECT a FROM s
-- > t.a <- s.a

-- case: alias = expression
-- dialect: tsql
SELECT b = a + 1 FROM t
-- > b <- t.a
