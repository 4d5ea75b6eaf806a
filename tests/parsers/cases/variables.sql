-- case: a declared variable holds what its query found
-- dialect: bigquery
-- schema: d.u(a int64)
DECLARE x INT64 DEFAULT (SELECT max(a) FROM d.s);
INSERT INTO d.t (m) SELECT x FROM d.u
-- > d.t.m <- d.s.a:AGGREGATION

-- case: several variables from one row
-- dialect: bigquery
DECLARE x, y INT64;
SET (x, y) = (SELECT AS STRUCT a, b FROM d.s);
INSERT INTO d.t (p, q) VALUES (y, x)
-- > d.t.p <- d.s.b
-- > d.t.q <- d.s.a

-- case: variables with @
-- dialect: tsql
DECLARE @m INT;
SELECT @m = max(a) FROM s;
INSERT INTO t (x) SELECT @m + b FROM u;
-- > t.x <- s.a:AGGREGATION, u.b:TRANSFORMATION

-- case: a loop's record
-- dialect: bigquery
FOR r IN (SELECT a, b FROM d.s) DO
  INSERT INTO d.t (x) VALUES (r.b);
END FOR;
-- > d.t.x <- d.s.b

-- case: SET of MySQL
-- dialect: mysql
SET @x = (SELECT max(a) FROM s);
INSERT INTO t (m) SELECT @x
-- > t.m <- s.a

-- case: settings are no variables
-- dialect: hive
SET hive.exec.dynamic.partition = true;
INSERT INTO t (a) SELECT b FROM s
-- > tables s -> t
-- > t.a <- s.b

-- case: parameters feed nothing
-- dialect: postgres
INSERT INTO t (a, b) SELECT x, :p FROM s WHERE y = %(q)s AND z > ${hiveconf:low}
-- > tables s -> t
-- > t.a <- s.x
-- > t.b <-

-- case: dynamic SQL into a variable
-- dialect: bigquery
BEGIN
  DECLARE x INT64;
  EXECUTE IMMEDIATE 'SELECT max(a) FROM d.s' INTO x;
  INSERT INTO d.t (m) VALUES (x);
END
-- > d.t.m <- d.s.a
