-- case: a table takes the names of its query
CREATE TABLE m.t AS SELECT a, b AS c FROM s
-- > tables s -> m.t
-- > m.t.a <- s.a:IDENTITY
-- > m.t.c <- s.b:IDENTITY

-- case: a view with a column list
CREATE OR REPLACE VIEW v (x, y) AS SELECT a, upper(b) FROM s
-- > v.x <- s.a:IDENTITY
-- > v.y <- s.b:TRANSFORMATION

-- case: a materialized view may write to another table
-- dialect: clickhouse
CREATE MATERIALIZED VIEW mv TO agg AS SELECT user, count() AS n FROM hits GROUP BY user
-- > tables hits -> agg
-- > agg.user <- hits.user
-- > agg.n <-

-- case: a table of columns alone has no lineage
CREATE TABLE t (a INT, b TEXT NOT NULL, PRIMARY KEY (a))
-- > tables -> t
-- > t.a <-
-- > t.b <-

-- case: a clone holds what its source held
-- dialect: snowflake
-- schema: s(a, b)
CREATE TABLE t CLONE s
-- > tables s -> t
-- > t.a <- s.a:IDENTITY
-- > t.b <- s.b:IDENTITY

-- case: LIKE copies the shape, not the data
-- dialect: postgres
-- schema: s(a)
CREATE TABLE t (LIKE s)
-- > tables s -> t
-- > t.a <-

-- case: SELECT INTO makes a table
-- dialect: tsql
SELECT a, b INTO dbo.t FROM dbo.s WHERE c = 1
-- > tables dbo.s -> dbo.t
-- > dbo.t.a <- dbo.s.a
-- > dbo.t.b <- dbo.s.b
-- > every row <- dbo.s.c:FILTER

-- case: SELECT INTO before a UNION
-- dialect: tsql
SELECT a INTO t FROM p UNION ALL SELECT b FROM q
-- > tables p, q -> t
-- > t.a <- p.a, q.b

-- case: options that nobody knows do not hide the query
-- dialect: hive
CREATE TABLE t PRIMARY KEY (a) PARTITION BY HASH (a) PARTITIONS 4 STORED AS KUDU AS SELECT a FROM s
-- > tables s -> t
-- > t.a <- s.a

-- case: ALTER VIEW AS
-- dialect: hive
ALTER VIEW v AS SELECT a FROM s
-- > tables s -> v
-- > v.a <- s.a

-- case: a stream and a dynamic table
-- dialect: snowflake
CREATE DYNAMIC TABLE d TARGET_LAG = '1 minute' WAREHOUSE = w AS SELECT a FROM s;
CREATE STREAM st ON TABLE d
-- > tables s, d -> d, st

-- case: an external table is made of nothing that the statement names
-- dialect: hive
CREATE EXTERNAL TABLE t (a INT) STORED AS PARQUET LOCATION 's3://bucket/t'
-- > tables -> t

-- case: a table of a table
CREATE TABLE t AS TABLE s
-- > tables s -> t

-- case: a view without data has its lineage already
-- dialect: postgres
CREATE MATERIALIZED VIEW v AS SELECT a FROM s WITH NO DATA
-- > tables s -> v
-- > v.a <- s.a

-- case: a pipe copies
-- dialect: snowflake
CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t FROM @st
-- > tables @st -> t

-- case: schemas, roles and indexes are no data
-- dialect: redshift
CREATE EXTERNAL SCHEMA x FROM DATA CATALOG DATABASE 'd'; CREATE INDEX i ON t (a); CREATE ROLE r
-- > tables ->
