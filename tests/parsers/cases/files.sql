-- case: COPY from a bucket
-- dialect: snowflake
COPY INTO db.sch.t FROM 's3://bucket/path/' FILE_FORMAT = (TYPE = CSV)
-- > tables s3://bucket/path/ -> db.sch.t

-- case: COPY from a query on a stage
-- dialect: snowflake
COPY INTO t (a, b) FROM (SELECT s.$1, upper(s.$2) FROM @st/in s)
-- > tables @st/in -> t
-- > T.A <- @st/in.$1
-- > T.B <- @st/in.$2

-- case: COPY to a stage
-- dialect: snowflake
COPY INTO @out FROM (SELECT a FROM t)
-- > tables t -> @out

-- case: COPY from and to a file
-- dialect: postgres
COPY t FROM '/data/in.csv' WITH (FORMAT csv);
COPY (SELECT a FROM s) TO '/data/out.csv';
-- > tables /data/in.csv, s -> t, /data/out.csv

-- case: UNLOAD
-- dialect: redshift
UNLOAD ('SELECT a FROM s WHERE b = ''x''') TO 's3://bucket/out' IAM_ROLE 'r'
-- > tables s -> s3://bucket/out
-- > every row <- s.b:FILTER

-- case: a directory
-- dialect: spark
INSERT OVERWRITE DIRECTORY '/out' USING parquet SELECT a FROM t
-- > tables t -> /out
-- > /out.a <- t.a

-- case: a Hive directory with a format
-- dialect: hive
INSERT OVERWRITE LOCAL DIRECTORY '/out' ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' SELECT a FROM t
-- > tables t -> /out

-- case: a path as a table
-- dialect: spark
INSERT INTO t (a) SELECT a FROM parquet.`/data/in`
-- > tables /data/in -> t
-- > t.a <- /data/in.a

-- case: a file as a table
-- dialect: duckdb
SELECT a FROM 's3://bucket/x.parquet'
-- > tables s3://bucket/x.parquet ->

-- case: a reader function names its file
-- dialect: duckdb
CREATE TABLE t AS SELECT a FROM read_parquet('s3://bucket/x.parquet')
-- > tables s3://bucket/x.parquet -> t
-- > t.a <- s3://bucket/x.parquet.a:IDENTITY

-- case: LOAD DATA
-- dialect: mysql
LOAD DATA INFILE '/data/in.csv' INTO TABLE t FIELDS TERMINATED BY ','
-- > tables /data/in.csv -> t

-- case: LOAD DATA of Hive
-- dialect: hive
LOAD DATA INPATH '/data/in' INTO TABLE t
-- > tables /data/in -> t

-- case: EXPORT DATA
-- dialect: bigquery
EXPORT DATA OPTIONS (uri = 'gs://bucket/*.csv', format = 'CSV') AS SELECT a FROM d.t
-- > tables d.t -> gs://bucket/*.csv

-- case: UNLOAD of a query without quotes
-- dialect: athena
UNLOAD (SELECT a FROM s) TO 's3://bucket/out' WITH (format = 'PARQUET')
-- > tables s -> s3://bucket/out
