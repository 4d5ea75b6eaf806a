-- case: UPDATE FROM
-- dialect: postgres
UPDATE t SET a = s.b, c = t.c + s.d FROM s WHERE s.id = t.id
-- > tables s, t -> t
-- > t.a <- s.b:IDENTITY
-- > t.c <- t.c:TRANSFORMATION, s.d:TRANSFORMATION
-- > every row <- s.id:FILTER, t.id:FILTER

-- case: UPDATE of an alias in FROM
-- dialect: tsql
UPDATE x SET x.a = y.b FROM dbo.target AS x JOIN dbo.source AS y ON x.id = y.id
-- > tables dbo.source -> dbo.target
-- > dbo.target.a <- dbo.source.b

-- case: UPDATE with a join before SET
-- dialect: mysql
UPDATE orders o JOIN people p ON p.id = o.person SET o.name = p.name
-- > tables people -> orders
-- > orders.name <- people.name

-- case: UPDATE from a subquery of several columns
-- dialect: postgres
UPDATE t SET (a, b) = (SELECT s.x, s.y + 1 FROM s WHERE s.id = t.id)
-- > tables s -> t
-- > t.a <- s.x:IDENTITY
-- > t.b <- s.y:TRANSFORMATION

-- case: compound assignment keeps what was there
-- dialect: tsql
UPDATE t SET t.n += s.k FROM dbo.t AS t JOIN s ON s.id = t.id
-- > tables s, dbo.t -> dbo.t
-- > dbo.t.n <- dbo.t.n, s.k

-- case: OUTPUT and TOP carry nothing
-- dialect: tsql
UPDATE TOP (10) t SET a = 1 OUTPUT inserted.a, deleted.a INTO log WHERE b = 2
-- > tables -> t
-- > t.a <-

-- case: DELETE USING reads, and writes no column
-- dialect: postgres
DELETE FROM t USING s WHERE s.id = t.id AND s.gone
-- > tables s -> t
-- > every row <- s.id:FILTER, t.id:FILTER, s.gone:FILTER

-- case: DELETE of an alias
-- dialect: mysql
DELETE a FROM t AS a JOIN s ON s.id = a.id
-- > tables s -> t

-- case: DELETE with a subquery
DELETE FROM t WHERE id IN (SELECT id FROM gone)
-- > tables gone -> t
-- > every row <- t.id:FILTER, gone.id:FILTER

-- case: MERGE with every branch
MERGE INTO t USING (SELECT id, x, y FROM s) AS q ON t.id = q.id
WHEN MATCHED AND q.y > 0 THEN UPDATE SET a = q.x, n = t.n + 1
WHEN NOT MATCHED THEN INSERT (id, a) VALUES (q.id, coalesce(q.x, 0))
-- > tables s, t -> t
-- > t.a <- s.x:IDENTITY, s.x:TRANSFORMATION, s.x:CONDITIONAL
-- > t.n <- t.n
-- > t.id <- s.id
-- > every row <- t.id:JOIN, s.id:JOIN, s.y:FILTER

-- case: MERGE by star
-- dialect: databricks
-- schema: t(id, a), s(id, a)
MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *
-- > tables s -> t
-- > t.id <- s.id
-- > t.a <- s.a

-- case: MERGE INSERT ROW goes by position
-- dialect: bigquery
-- schema: d.t(k, v), d.s(a, b)
MERGE d.t USING d.s ON FALSE WHEN NOT MATCHED THEN INSERT ROW
-- > d.t.k <- d.s.a
-- > d.t.v <- d.s.b

-- case: MERGE that deletes
MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE
-- > tables s -> t
-- > every row <- t.id:JOIN, s.id:JOIN

-- case: changes inside WITH
-- dialect: postgres
WITH gone AS (DELETE FROM t WHERE old RETURNING id, a) INSERT INTO archive (id, a) SELECT id, a FROM gone
-- > tables t -> t, archive
-- > archive.id <- t.id
-- > archive.a <- t.a

-- case: a CTE as the target means the table behind it
-- dialect: tsql
WITH c AS (SELECT a, b, row_number() OVER (PARTITION BY k ORDER BY d) AS n FROM dbo.t) DELETE FROM c WHERE n > 1
-- > tables dbo.t -> dbo.t

-- case: a field of a struct
-- dialect: bigquery
UPDATE d.t SET a.b = s.c FROM d.s AS s WHERE s.id = id
-- > d.t.a.b <- d.s.c

-- case: MERGE INSERT of some columns of the row
-- dialect: bigquery
MERGE d.t USING (SELECT a, b FROM d.s) ON FALSE WHEN NOT MATCHED THEN INSERT (x, y) ROW
-- > d.t.x <- d.s.a
-- > d.t.y <- d.s.b
