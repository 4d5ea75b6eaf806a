-- case: USE sets what completes a name
USE db1.s1;
INSERT INTO t SELECT a FROM u;
USE db2;
SELECT b FROM v
-- > tables db1.s1.u, db2.s1.v -> db1.s1.t

-- case: USE sets the schema in Spark, the database in Snowflake
-- dialect: spark
USE sales;
INSERT INTO t SELECT a FROM u
-- > tables sales.u -> sales.t

-- case: USE SCHEMA and USE DATABASE
-- dialect: snowflake
USE DATABASE d;
USE SCHEMA s;
USE WAREHOUSE w;
INSERT INTO t SELECT a FROM u
-- > tables d.s.u -> d.s.t

-- case: a temporary table that is read again is read through
CREATE TEMP TABLE step AS SELECT id, a + 1 AS b FROM s WHERE ok;
INSERT INTO t (id, b) SELECT id, b FROM step
-- > tables s -> t
-- > t.id <- s.id:IDENTITY
-- > t.b <- s.a:TRANSFORMATION
-- > every row <- s.ok:FILTER

-- case: a temporary table that is not read again stays
CREATE TEMP TABLE step AS SELECT id FROM s
-- > tables s -> step
-- > step.id <- s.id

-- case: tables whose name starts with # are temporary
-- dialect: tsql
SELECT a INTO #x FROM s
INSERT INTO t (a) SELECT a FROM #x
-- > tables s -> t
-- > t.a <- s.a

-- case: a table variable
-- dialect: tsql
DECLARE @x TABLE (k INT, v INT);
INSERT INTO @x SELECT a, b FROM s;
INSERT INTO t (v) SELECT v FROM @x WHERE k > 1;
-- > tables s -> t
-- > t.v <- s.b
-- > every row <- s.a:FILTER

-- case: what several statements put into a temporary table
CREATE TEMP TABLE step (a INT);
INSERT INTO step SELECT x FROM s1;
INSERT INTO step SELECT y FROM s2;
INSERT INTO t (a) SELECT a FROM step
-- > tables s1, s2 -> t
-- > t.a <- s1.x, s2.y

-- case: a table that the script makes is known to it
CREATE TABLE a (x INT, y INT);
INSERT INTO a SELECT p, q FROM s;
INSERT INTO b SELECT * FROM a
-- > tables s, a -> a, b
-- > a.x <- s.p
-- > a.y <- s.q
-- > b.x <- a.x
-- > b.y <- a.y

-- case: a table that is renamed was written under its last name
CREATE TABLE fresh AS SELECT a FROM s;
ALTER TABLE fresh RENAME TO done
-- > tables s -> done
-- > done.a <- s.a

-- case: statements without semicolons
-- dialect: tsql
INSERT INTO a (x) SELECT b FROM s
UPDATE c SET y = d FROM e WHERE e.i = c.i
DELETE FROM f WHERE g = 1
SELECT h FROM k
-- > tables s, e, k -> a, c, f

-- case: GO ends a batch
-- dialect: tsql
SELECT a INTO t FROM s
GO
SELECT b INTO u FROM r
GO
-- > tables s, r -> t, u

-- case: what cannot be read costs only itself
INSERT INTO a (x) SELECT b FROM s;
THIS IS NOT SQL AT ALL (;
INSERT INTO c (x) SELECT d FROM r
-- > tables s, r -> a, c
-- > problem syntax

-- case: a swap exchanges
-- dialect: snowflake
ALTER TABLE a SWAP WITH b
-- > tables a, b -> a, b

-- case: rows move from one table to another
-- dialect: redshift
ALTER TABLE a APPEND FROM b
-- > tables b -> a

-- case: a partition moves from one table to another
-- dialect: hive
ALTER TABLE a EXCHANGE PARTITION (d = '1') WITH TABLE b
-- > tables b -> a

-- case: a table that is altered or dropped gets no data
ALTER TABLE a ADD COLUMN b INT; DROP TABLE c; TRUNCATE TABLE d
-- > tables ->

-- case: lines for a client
-- dialect: postgres
\set ON_ERROR_STOP on
INSERT INTO t (a) SELECT b FROM s;
\q
-- > tables s -> t

-- case: another delimiter
-- dialect: mysql
DELIMITER //
CREATE PROCEDURE p() BEGIN INSERT INTO t (a) SELECT b FROM s; END //
DELIMITER ;
-- > tables s -> t

-- case: a temporary table in other letters is the same
-- dialect: tsql
SELECT a INTO #Step FROM s
INSERT INTO #step (a) SELECT b FROM r
INSERT INTO t (x) SELECT A FROM #STEP
-- > tables s, r -> t
-- > t.x <- s.a, r.b

-- case: a table built beside the old one takes its name
-- dialect: redshift
CREATE TABLE m.t_new AS SELECT a FROM s;
DROP TABLE m.t;
ALTER TABLE m.t_new RENAME TO t
-- > tables s -> m.t
-- > m.t.a <- s.a
