"""The demo shop's jobs: what each reads and writes, and which column becomes which."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Work:
    """A job that moves data.

    A column's origins are written `[SUBTYPE ]table.column`, several joined by `+`. Without a subtype
    the column is copied. `MASK` is a direct transformation that hides the value.
    """

    namespace: str
    name: str
    about: str
    owner: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    minute: int
    """When it starts, after the night's two o'clock."""
    takes: int
    """Seconds."""
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: str = ""
    """What decides which rows there are: filters, joins, groups."""
    sql: str = ""
    code: str = ""
    task: str = ""
    """The Airflow task that starts it; empty: it is one itself."""


AIRFLOW, DBT, ML, BI = "airflow", "dbt", "ml", "bi"
DAG = "shop_nightly"


def _copy(table: str, minute: int, columns: str) -> Work:
    source = table.replace("raw.", "crm." if table == "raw.contacts" else "shop.")
    return Work(
        AIRFLOW,
        f"{DAG}.load_{table.partition('.')[2]}",
        "Copies a table of the shop into the warehouse.",
        "data-platform",
        (source,),
        (table,),
        minute,
        240,
        {name: f"{source}.{name}" for name in columns.split()},
        code="dags/shop_nightly.py",
    )


LOADS = (
    _copy("raw.orders", 1, "order_id customer_id status amount currency ordered_at"),
    _copy("raw.customers", 2, "customer_id email full_name country marketing_consent created_at"),
    _copy("raw.payments", 3, "payment_id order_id method card_last4 amount paid_at"),
    _copy("raw.sessions", 4, "session_id customer_id started_at pages device"),
)
LOAD_CONTACTS = _copy("raw.contacts", 5, "contact_id mail name country_code since")

STG_CUSTOMERS = Work(
    DBT, "shop.staging.stg_customers", "Drops names, hashes addresses.", "analytics",
    ("raw.customers",), ("stg.customers",), 21, 40,
    {
        "customer_id": "raw.customers.customer_id",
        "email_hash": "MASK raw.customers.email",
        "country": "raw.customers.country",
        "created_at": "raw.customers.created_at",
    },
    sql="select customer_id, sha256(lower(email)) as email_hash, country, created_at\nfrom dw.raw.customers",
    code="models/staging/stg_customers.sql", task="dbt_run",
)  # fmt: skip

STG_CUSTOMERS_FROM_CRM = Work(
    DBT, "shop.staging.stg_customers", "Drops names, hashes addresses.", "analytics",
    ("raw.contacts",), ("stg.customers",), 21, 40,
    {
        "customer_id": "raw.contacts.contact_id",
        "email_hash": "MASK raw.contacts.mail",
        "country": "TRANSFORMATION raw.contacts.country_code",
        "created_at": "raw.contacts.since",
    },
    sql=(
        "select contact_id as customer_id, sha256(lower(mail)) as email_hash,\n"
        "       upper(country_code) as country, since as created_at\nfrom dw.raw.crm_contacts"
    ),
    code="models/staging/stg_customers.sql", task="dbt_run",
)  # fmt: skip

MODELS = (
    Work(
        DBT, "shop.staging.stg_orders", "Leaves out cancelled orders, adds euro.", "analytics",
        ("raw.orders",), ("stg.orders",), 20, 55,
        {
            "order_id": "raw.orders.order_id",
            "customer_id": "raw.orders.customer_id",
            "status": "TRANSFORMATION raw.orders.status",
            "amount": "raw.orders.amount",
            "amount_eur": "TRANSFORMATION raw.orders.amount + TRANSFORMATION raw.orders.currency",
            "ordered_at": "raw.orders.ordered_at",
        },
        rows="FILTER raw.orders.status",
        sql=(
            "select order_id, customer_id, lower(status) as status, amount,\n"
            "       amount * rate(currency) as amount_eur, ordered_at\n"
            "from dw.raw.orders\nwhere status <> 'cancelled'"
        ),
        code="models/staging/stg_orders.sql", task="dbt_run",
    ),
    Work(
        DBT, "shop.staging.stg_payments", "Leaves out card numbers.", "analytics",
        ("raw.payments",), ("stg.payments",), 22, 45,
        {name: f"raw.payments.{name}" for name in ("payment_id", "order_id", "method", "amount", "paid_at")},
        rows="FILTER raw.payments.paid_at",
        sql="select payment_id, order_id, method, amount, paid_at\nfrom dw.raw.payments\nwhere paid_at is not null",
        code="models/staging/stg_payments.sql", task="dbt_run",
    ),
    Work(
        DBT, "shop.staging.stg_sessions", "Keeps visits of signed-in customers.", "analytics",
        ("raw.sessions",), ("stg.sessions",), 23, 80,
        {name: f"raw.sessions.{name}" for name in ("session_id", "customer_id", "started_at", "pages")},
        rows="FILTER raw.sessions.customer_id",
        sql="select session_id, customer_id, started_at, pages\nfrom dw.raw.web_sessions\nwhere customer_id is not null",
        code="models/staging/stg_sessions.sql", task="dbt_run",
    ),
    Work(
        DBT, "shop.marts.orders", "Joins orders with what was paid.", "analytics",
        ("stg.orders", "stg.payments"), ("marts.orders",), 25, 90,
        {
            "order_id": "stg.orders.order_id",
            "customer_id": "stg.orders.customer_id",
            "ordered_at": "stg.orders.ordered_at",
            "amount_eur": "stg.orders.amount_eur",
            "paid_amount": "AGGREGATION stg.payments.amount",
            "payment_method": "AGGREGATION stg.payments.method",
        },
        rows="JOIN stg.orders.order_id + JOIN stg.payments.order_id + GROUP_BY stg.orders.order_id",
        sql=(
            "select o.order_id, o.customer_id, o.ordered_at, o.amount_eur,\n"
            "       sum(p.amount) as paid_amount, max(p.method) as payment_method\n"
            "from dw.staging.stg_orders o\nleft join dw.staging.stg_payments p on p.order_id = o.order_id\n"
            "group by o.order_id, o.customer_id, o.ordered_at, o.amount_eur"
        ),
        code="models/marts/orders.sql", task="dbt_run",
    ),
    Work(
        DBT, "shop.marts.customers", "Adds up what each customer bought.", "analytics",
        ("stg.customers", "marts.orders"), ("marts.customers",), 28, 75,
        {
            "customer_id": "stg.customers.customer_id",
            "country": "stg.customers.country",
            "first_order_at": "AGGREGATION marts.orders.ordered_at",
            "last_order_at": "AGGREGATION marts.orders.ordered_at",
            "orders": "AGGREGATION marts.orders.order_id",
            "lifetime_value": "AGGREGATION marts.orders.amount_eur",
        },
        rows="JOIN stg.customers.customer_id + JOIN marts.orders.customer_id + GROUP_BY stg.customers.customer_id",
        sql=(
            "select c.customer_id, c.country, min(o.ordered_at) as first_order_at,\n"
            "       max(o.ordered_at) as last_order_at, count(o.order_id) as orders,\n"
            "       sum(o.amount_eur) as lifetime_value\n"
            "from dw.staging.stg_customers c\nleft join dw.marts.orders o on o.customer_id = c.customer_id\n"
            "group by c.customer_id, c.country"
        ),
        code="models/marts/customers.sql", task="dbt_run",
    ),
    Work(
        DBT, "shop.marts.revenue_daily", "Revenue by day and country.", "analytics",
        ("marts.orders", "marts.customers"), ("marts.revenue",), 30, 35,
        {
            "day": "TRANSFORMATION marts.orders.ordered_at",
            "country": "marts.customers.country",
            "orders": "AGGREGATION marts.orders.order_id",
            "revenue_eur": "AGGREGATION marts.orders.amount_eur",
        },
        rows="JOIN marts.orders.customer_id + JOIN marts.customers.customer_id + GROUP_BY marts.orders.ordered_at",
        sql=(
            "select o.ordered_at::date as day, c.country, count(o.order_id) as orders,\n"
            "       sum(o.amount_eur) as revenue_eur\n"
            "from dw.marts.orders o\njoin dw.marts.customers c on c.customer_id = o.customer_id\ngroup by 1, 2"
        ),
        code="models/marts/revenue_daily.sql", task="dbt_run",
    ),
)  # fmt: skip

FEATURES = Work(
    ML, "ml.build_features", "Makes the churn model's features.", "ml",
    ("marts.customers", "marts.orders", "stg.sessions"), ("ml.features",), 36, 150,
    {
        "customer_id": "marts.customers.customer_id",
        "days_since_last_order": "TRANSFORMATION marts.customers.last_order_at",
        "orders_90d": "AGGREGATION marts.orders.order_id",
        "spend_90d": "AGGREGATION marts.orders.amount_eur",
        "sessions_30d": "AGGREGATION stg.sessions.session_id",
        "country": "marts.customers.country",
    },
    rows="FILTER marts.orders.ordered_at + FILTER stg.sessions.started_at + JOIN marts.customers.customer_id",
    code="ml/features.py", task="build_features",
)  # fmt: skip

TRAIN = Work(
    ML, "ml.train_churn", "Trains the churn model on the features.", "ml",
    ("ml.features",), ("ml.model",), 45, 1260, code="ml/train.py", task="train_churn",
)  # fmt: skip

SCORE = Work(
    ML, "ml.score_churn", "Scores every customer with the model in Production.", "ml",
    ("ml.features", "registry.churn"), ("ml.scores",), 70, 200, code="ml/score.py", task="score_churn",
)  # fmt: skip

RETENTION = Work(
    DBT, "shop.marts.retention_overview", "What the sales team looks at.", "analytics",
    ("ml.scores", "marts.customers"), ("marts.retention",), 76, 30,
    {
        "country": "marts.customers.country",
        "customers_at_risk": "AGGREGATION ml.scores.customer_id",
        "revenue_at_risk_eur": "AGGREGATION marts.customers.lifetime_value",
    },
    rows="FILTER ml.scores.churn_probability + JOIN ml.scores.customer_id + JOIN marts.customers.customer_id",
    sql=(
        "select c.country, count(s.customer_id) as customers_at_risk,\n"
        "       sum(c.lifetime_value) as revenue_at_risk_eur\n"
        "from dw.ml.churn_scores s\njoin dw.marts.customers c on c.customer_id = s.customer_id\n"
        "where s.churn_probability > 0.7\ngroup by c.country"
    ),
    code="models/marts/retention_overview.sql", task="retention",
)  # fmt: skip

DASHBOARD = Work(
    BI, "retention_dashboard", "The dashboard reads the mart when it is opened.", "sales",
    ("marts.retention",), ("bi.retention",), 0, 0,
)  # fmt: skip
