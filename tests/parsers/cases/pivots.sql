-- case: PIVOT
-- dialect: snowflake
-- schema: S(ID, Q, V)
SELECT * FROM s PIVOT (sum(v) FOR q IN ('a', 'b')) AS p (id, a, b)
-- > ID <- S.ID
-- > A <- S.V:AGGREGATION
-- > B <- S.V:AGGREGATION

-- case: PIVOT of several aggregates
-- dialect: bigquery
-- schema: d.s(id int64, q string, v int64, w int64)
SELECT * FROM d.s PIVOT (sum(v) AS t, max(w) AS m FOR q IN ('a', 'b'))
-- > id <- d.s.id
-- > t_a <- d.s.v
-- > m_a <- d.s.w
-- > t_b <- d.s.v
-- > m_b <- d.s.w

-- case: UNPIVOT
-- dialect: snowflake
-- schema: S(ID, JAN, FEB)
SELECT id, v FROM s UNPIVOT (v FOR m IN (jan, feb))
-- > ID <- S.ID
-- > V <- S.JAN, S.FEB

-- case: UNPIVOT of groups
-- dialect: bigquery
-- schema: d.s(id int64, a1 int64, a2 int64, b1 int64, b2 int64)
SELECT id, a, b FROM d.s UNPIVOT ((a, b) FOR n IN ((a1, b1), (a2, b2)))
-- > id <- d.s.id
-- > a <- d.s.a1, d.s.a2
-- > b <- d.s.b1, d.s.b2

-- case: the short form of DuckDB
-- dialect: duckdb
-- schema: s(id, q, v)
PIVOT s ON q USING sum(v) GROUP BY id
-- > tables s ->
-- > id <- s.id
-- > * <- s.v

-- case: a name that PIVOT made from unknown values
-- dialect: snowflake
-- schema: S(ID, Q, V)
SELECT p.id, p."x" FROM s PIVOT (max(v) FOR q IN (ANY)) AS p
-- > ID <- S.ID
-- > x <- S.V
