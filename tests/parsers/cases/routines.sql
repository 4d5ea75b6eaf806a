-- case: a procedure with BEGIN and END
-- dialect: snowflake
CREATE OR REPLACE PROCEDURE p() RETURNS STRING LANGUAGE SQL AS
BEGIN
  INSERT INTO a (x) SELECT y FROM b;
  RETURN 'done';
END;
-- > tables b -> a
-- > A.X <- B.Y

-- case: a body in a string
-- dialect: postgres
CREATE FUNCTION load_it() RETURNS void AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM flags) THEN
    INSERT INTO t (a) SELECT b FROM s;
  ELSE
    DELETE FROM t;
  END IF;
END;
$$ LANGUAGE plpgsql;
-- > tables flags, s -> t
-- > t.a <- s.b

-- case: an anonymous block
-- dialect: postgres
DO $$ BEGIN INSERT INTO t (a) SELECT b FROM s; END $$;
-- > tables s -> t

-- case: T-SQL with TRY and IF
-- dialect: tsql
CREATE PROCEDURE dbo.load @day DATE AS
BEGIN
  SET NOCOUNT ON;
  BEGIN TRY
    IF @day IS NULL
      SET @day = GETDATE()
    INSERT INTO dbo.t (a) SELECT b FROM dbo.s WHERE d = @day
    UPDATE dbo.u SET x = 1
  END TRY
  BEGIN CATCH
    INSERT INTO dbo.errors (text) SELECT ERROR_MESSAGE()
  END CATCH
END
-- > tables dbo.s -> dbo.t, dbo.u, dbo.errors
-- > dbo.t.a <- dbo.s.b
-- > dbo.u.x <-
-- > dbo.errors.text <-

-- case: loops and conditions
-- dialect: bigquery
BEGIN
  DECLARE i INT64 DEFAULT 0;
  WHILE i < 3 DO
    INSERT INTO d.t (a) SELECT b FROM d.s WHERE n = i;
    SET i = i + 1;
  END WHILE;
  IF i > 2 THEN
    TRUNCATE TABLE d.x;
  ELSEIF i > 1 THEN
    INSERT INTO d.u (a) SELECT c FROM d.v;
  END IF;
EXCEPTION WHEN ERROR THEN
  SELECT 1;
END;
-- > tables d.s, d.v -> d.t, d.u

-- case: a transaction is no block
-- dialect: postgres
BEGIN;
INSERT INTO t (a) SELECT b FROM s;
COMMIT;
-- > tables s -> t

-- case: constant dynamic SQL is read, built SQL is a diagnostic
-- dialect: snowflake
EXECUTE IMMEDIATE 'INSERT INTO t (a) SELECT b FROM s';
EXECUTE IMMEDIATE 'INSERT INTO ' || x || ' SELECT 1';
-- > tables s -> t
-- > problem dynamic-sql

-- case: sp_executesql
-- dialect: tsql
EXEC sp_executesql N'INSERT INTO t (a) SELECT b FROM s'
-- > tables s -> t

-- case: PL/SQL
-- dialect: oracle
CREATE OR REPLACE PROCEDURE load_it IS
  n NUMBER;
BEGIN
  SELECT count(*) INTO n FROM s;
  FOR r IN (SELECT id, v FROM s) LOOP
    UPDATE t SET a = r.v WHERE id = r.id;
  END LOOP;
  COMMIT;
END load_it;
-- > tables s -> t
-- > T.A <- S.V

-- case: a call is not followed
-- dialect: snowflake
CALL p(1)
-- > tables ->
-- > problem call

-- case: a task runs a statement
-- dialect: snowflake
CREATE TASK tk WAREHOUSE = w SCHEDULE = '1 minute' AS INSERT INTO t (a) SELECT b FROM s
-- > tables s -> t

-- case: CASE inside a block ends nothing
-- dialect: tsql
BEGIN
  INSERT INTO t (a) SELECT CASE WHEN b > 1 THEN c ELSE d END FROM s
  INSERT INTO u (a) SELECT e FROM s
END
-- > tables s -> t, u

-- case: assignment and cursors
-- dialect: snowflake
DECLARE
  c1 CURSOR FOR SELECT a, b FROM s;
BEGIN
  LET m := (SELECT max(z) FROM q);
  FOR r IN c1 DO
    INSERT INTO t (x, y) VALUES (r.b, :m);
  END FOR;
END;
-- > tables s, q -> t
-- > T.X <- S.B
-- > T.Y <- Q.Z

-- case: declarations of PL/SQL and packages
-- dialect: oracle
CREATE OR REPLACE PACKAGE BODY p IS
  PROCEDURE x IS BEGIN INSERT INTO t (a) SELECT b FROM s; END x;
  PROCEDURE y (q NUMBER) IS n NUMBER; BEGIN SELECT max(c) INTO n FROM r; UPDATE u SET v = n; END y;
END p;
-- > tables s, r -> t, u
-- > T.A <- S.B
-- > U.V <- R.C

-- case: code in another language is not read
-- dialect: snowflake
CREATE PROCEDURE p() RETURNS INT LANGUAGE PYTHON AS 'def main(): pass'; SELECT a FROM t
-- > tables t ->
-- > problem foreign-code
