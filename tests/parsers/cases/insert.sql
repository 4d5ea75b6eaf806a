-- case: positions follow the target's schema
-- schema: shop.orders(id, price), mart.sales(order_id, amount)
INSERT INTO mart.sales SELECT id, price * 2 FROM shop.orders
-- > tables shop.orders -> mart.sales
-- > mart.sales.order_id <- shop.orders.id:IDENTITY
-- > mart.sales.amount <- shop.orders.price:TRANSFORMATION

-- case: a column list comes before the schema
-- schema: mart.sales(order_id, amount)
INSERT INTO mart.sales (amount, order_id) SELECT o.price, o.id FROM shop.orders o
-- > mart.sales.amount <- shop.orders.price
-- > mart.sales.order_id <- shop.orders.id

-- case: a schema with too few columns is stale, and the query names the columns
-- schema: mart.sales(order_id)
INSERT INTO mart.sales SELECT id, price FROM shop.orders
-- > mart.sales.id <- shop.orders.id
-- > mart.sales.price <- shop.orders.price

-- case: a static partition takes no position, a dynamic one takes the last
-- dialect: hive
-- schema: mart.daily(day, region, id, total)
INSERT OVERWRITE TABLE mart.daily PARTITION (day = '2024-01-01', region)
SELECT s.id, sum(s.amount), s.area FROM raw.sales s GROUP BY s.id, s.area
-- > tables raw.sales -> mart.daily
-- > mart.daily.id <- raw.sales.id
-- > mart.daily.total <- raw.sales.amount:AGGREGATION
-- > mart.daily.region <- raw.sales.area
-- > every row <- raw.sales.id:GROUP_BY, raw.sales.area:GROUP_BY

-- case: by name, positions mean nothing
-- dialect: duckdb
-- schema: target(a, b)
INSERT INTO target BY NAME SELECT x AS b, y AS a FROM source
-- > target.b <- source.x
-- > target.a <- source.y

-- case: FROM first, several targets, each with its own conditions
-- dialect: hive
FROM raw.events e
INSERT INTO TABLE clicks SELECT e.id WHERE e.kind = 'click'
INSERT INTO TABLE views SELECT e.id, e.page WHERE e.kind = 'view'
-- > tables raw.events -> clicks, views
-- > clicks.id <- raw.events.id
-- > views.id <- raw.events.id
-- > views.page <- raw.events.page

-- case: INSERT ALL with conditions reads its one query
-- dialect: snowflake
INSERT ALL WHEN amount > 10 THEN INTO big (id) VALUES (k) ELSE INTO small (id) VALUES (k)
SELECT order_key AS k, amount FROM orders
-- > tables orders -> big, small
-- > big.id <- orders.order_key
-- > small.id <- orders.order_key

-- case: VALUES feed nothing
INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')
-- > tables -> t
-- > t.a <-
-- > t.b <-

-- case: REPLACE INTO inserts
-- dialect: mysql
REPLACE INTO t (a) SELECT b FROM s
-- > tables s -> t
-- > t.a <- s.b

-- case: UPSERT INTO inserts
-- dialect: hive
UPSERT INTO t (a) SELECT b FROM s
-- > tables s -> t
-- > t.a <- s.b

-- case: ON CONFLICT takes values from the row that was to be inserted
-- dialect: postgres
INSERT INTO t (a, b) SELECT x, y FROM s
ON CONFLICT (a) DO UPDATE SET c = excluded.b, n = t.n + 1
-- > tables s, t -> t
-- > t.a <- s.x
-- > t.b <- s.y
-- > t.c <- s.y
-- > t.n <- t.n:TRANSFORMATION

-- case: an unknown star keeps its place
-- schema: t(a, b, c)
INSERT INTO t SELECT id, s.* FROM s
-- > t.a <- s.id
-- > t.* <- s.*
-- > problem open-star

-- case: INSERT of a UNION goes by position
-- schema: t(a, b)
INSERT INTO t SELECT x, y FROM p UNION ALL SELECT y2, x2 FROM q
-- > t.a <- p.x, q.y2
-- > t.b <- p.y, q.x2
