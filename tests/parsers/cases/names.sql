-- case: an unqualified column of two unknown tables has two candidates
SELECT a FROM t, u
-- > a <- t|u.a
-- > problem ambiguous-column

-- case: one known schema decides
-- schema: t(a), u(b)
SELECT a, b FROM t, u
-- > a <- t.a
-- > b <- u.b

-- case: a column that the known schemas lack belongs to the unknown table
-- schema: t(a)
SELECT a, z FROM t JOIN u ON t.a = u.k
-- > a <- t.a
-- > z <- u.z

-- case: a stale schema does not lose a column
-- schema: t(a)
SELECT z, t.y FROM t
-- > z <- t.z
-- > y <- t.y

-- case: a CTE hides a table of its name, but not from itself
WITH t AS (SELECT a FROM t) SELECT a FROM t
-- > tables t ->
-- > a <- t.a

-- case: an outer column in a subquery
-- schema: t(id, a), s(k, v)
SELECT a, (SELECT max(v) FROM s WHERE k = id) AS m FROM t
-- > a <- t.a
-- > m <- s.v:AGGREGATION
-- > every row <- s.k:FILTER, t.id:FILTER

-- case: the alias of an earlier column, where the dialect has it
-- dialect: snowflake
SELECT a + 1 AS b, b * 2 AS c FROM t
-- > b <- t.a
-- > c <- t.a

-- case: a column goes before an alias of its name
-- dialect: snowflake
SELECT upper(a) AS a, a || 'x' AS b FROM t
-- > a <- t.a
-- > b <- t.a

-- case: no aliases in standard SQL: the unknown table has the column
SELECT a + 1 AS b, b * 2 AS c FROM t
-- > b <- t.a
-- > c <- t.b

-- case: names are folded as the dialect does
-- dialect: postgres
INSERT INTO T SELECT A, "B" FROM S
-- > t.a <- s.a
-- > t.B <- s.B

-- case: a full name as a qualifier
SELECT db.t.a, t.b FROM db.t
-- > a <- db.t.a
-- > b <- db.t.b

-- case: defaults complete a name
-- default: db.sch
SELECT x.a, y.b FROM t AS x JOIN other.u AS y ON x.i = y.i
-- > tables db.sch.t, db.other.u ->

-- case: quotes around a whole name
-- dialect: bigquery
SELECT a FROM `my-project.data.t`
-- > tables my-project.data.t ->

-- case: a qualifier that names nothing is a field of the only table
-- dialect: bigquery
SELECT addr.city FROM people
-- > city <- people.addr.city

-- case: a whole row
-- dialect: postgres
-- schema: t(a, b)
SELECT to_json(t) AS j FROM t
-- > j <- t.a:TRANSFORMATION, t.b:TRANSFORMATION

-- case: a name that nothing has is said
-- schema: t(a), u(b)
SELECT x.nope FROM t, u
-- > problem unknown-qualifier

-- case: a whole row of a subquery, inside another
-- dialect: postgres
SELECT (SELECT json_agg(x) FROM (SELECT b, c FROM u WHERE u.id = t.id) AS x) AS j FROM t
-- > j <- u.b:AGGREGATION, u.c:AGGREGATION

-- case: a table named by a string
-- dialect: snowflake
SELECT a FROM identifier('db.s.t')
-- > tables DB.S.T ->

-- case: a schema that is left out
-- dialect: tsql
SELECT a FROM db..t
-- > tables db.t ->

-- case: columns of VALUES
-- dialect: postgres
SELECT v.column1, v.column2 FROM t, LATERAL (VALUES (t.a, t.b)) AS v
-- > column1 <- t.a
-- > column2 <- t.b

-- case: MINUS is EXCEPT
SELECT a FROM t MINUS SELECT b FROM u
-- > a <- t.a
