"""The demo shop's tables: what they hold, whose they are, which columns are personal."""

from collections.abc import Mapping
from dataclasses import dataclass

SHOP = "postgres://shop-db"
CRM = "postgres://legacy-crm"
WAREHOUSE = "postgres://warehouse"
MODELS = "s3://shop-models"
DASHBOARDS = "bi://shop"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    about: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    namespace: str
    name: str
    about: str
    owner: str
    columns: tuple[Column, ...] = ()
    rows: int = 0
    """On the first night; it grows by `growth` a night."""
    growth: int = 0
    type: str = "TABLE"
    tags: tuple[str, ...] = ()


def _columns(text: str) -> tuple[Column, ...]:
    """`name type #tag -- about`, one a line."""
    found = []
    for line in text.strip().splitlines():
        head, _, about = line.partition("--")
        name, kind, *tags = head.split()
        found.append(Column(name, kind, about.strip(), tuple(tag.removeprefix("#") for tag in tags)))
    return tuple(found)


_ORDERS = """
order_id bigint -- Key of the order.
customer_id bigint -- Who ordered.
status text -- placed, paid, shipped, returned or cancelled.
amount numeric(12,2) -- What the customer pays, in the order's currency.
currency char(3) -- ISO 4217.
ordered_at timestamptz
"""
_CUSTOMERS = """
customer_id bigint -- Key of the customer.
email text #pii
full_name text #pii
country char(2) -- ISO 3166.
marketing_consent boolean -- May we write to them?
created_at timestamptz
"""
_PAYMENTS = """
payment_id bigint
order_id bigint
method text -- card, transfer or voucher.
card_last4 char(4) #pii
amount numeric(12,2)
paid_at timestamptz
"""
_SESSIONS = """
session_id uuid
customer_id bigint -- Empty for visitors who are not signed in.
started_at timestamptz
pages integer
device text
"""
_CONTACTS = """
contact_id bigint
mail text #pii
name text #pii
country_code char(2)
since timestamptz
"""

TABLES: Mapping[str, Table] = {
    # what the shop runs on
    "shop.orders": Table(SHOP, "shop.public.orders", "Every order of the web shop.", "shop-backend", _columns(_ORDERS), 118_200, 410),
    "shop.customers": Table(SHOP, "shop.public.customers", "Registered customers.", "shop-backend", _columns(_CUSTOMERS), 31_900, 55),
    "shop.payments": Table(SHOP, "shop.public.payments", "Payments as the provider reports them.", "shop-backend", _columns(_PAYMENTS), 121_000, 415),
    "shop.sessions": Table(SHOP, "shop.public.web_sessions", "Visits to the web shop.", "shop-backend", _columns(_SESSIONS), 902_000, 8_100),
    "crm.contacts": Table(CRM, "crm.public.contacts", "Customers as the old CRM knew them.", "sales", _columns(_CONTACTS), 30_100, 0),
    # copies in the warehouse
    "raw.orders": Table(WAREHOUSE, "dw.raw.orders", "Nightly copy.", "data-platform", _columns(_ORDERS), 118_200, 410),
    "raw.customers": Table(WAREHOUSE, "dw.raw.customers", "Nightly copy.", "data-platform", _columns(_CUSTOMERS), 31_900, 55),
    "raw.payments": Table(WAREHOUSE, "dw.raw.payments", "Nightly copy.", "data-platform", _columns(_PAYMENTS), 121_000, 415),
    "raw.sessions": Table(WAREHOUSE, "dw.raw.web_sessions", "Nightly copy.", "data-platform", _columns(_SESSIONS), 902_000, 8_100),
    "raw.contacts": Table(WAREHOUSE, "dw.raw.crm_contacts", "Nightly copy of the old CRM.", "data-platform", _columns(_CONTACTS), 30_100, 0),
    # staging
    "stg.orders": Table(
        WAREHOUSE, "dw.staging.stg_orders", "Orders that were not cancelled, in euro too.", "analytics",
        _columns("""
        order_id bigint
        customer_id bigint
        status text
        amount numeric(12,2)
        amount_eur numeric(12,2) -- At the day's rate.
        ordered_at timestamptz
        """), 111_300, 385,
    ),
    "stg.customers": Table(
        WAREHOUSE, "dw.staging.stg_customers", "Customers without what names them.", "analytics",
        _columns("""
        customer_id bigint
        email_hash text -- SHA-256 of the address: joins, names nobody.
        country char(2)
        created_at timestamptz
        """), 31_900, 55,
    ),
    "stg.payments": Table(
        WAREHOUSE, "dw.staging.stg_payments", "Payments that went through.", "analytics",
        _columns("""
        payment_id bigint
        order_id bigint
        method text
        amount numeric(12,2)
        paid_at timestamptz
        """), 119_000, 405,
    ),
    "stg.sessions": Table(
        WAREHOUSE, "dw.staging.stg_sessions", "Visits of signed-in customers.", "analytics",
        _columns("""
        session_id uuid
        customer_id bigint
        started_at timestamptz
        pages integer
        """), 410_000, 3_900,
    ),
    # marts
    "marts.orders": Table(
        WAREHOUSE, "dw.marts.orders", "One row an order, with what was paid.", "analytics",
        _columns("""
        order_id bigint
        customer_id bigint
        ordered_at timestamptz
        amount_eur numeric(12,2)
        paid_amount numeric(12,2)
        payment_method text
        """), 111_300, 385, tags=("tier-1",),
    ),
    "marts.customers": Table(
        WAREHOUSE, "dw.marts.customers", "One row a customer, with what they are worth to us.", "analytics",
        _columns("""
        customer_id bigint
        country char(2)
        first_order_at timestamptz
        last_order_at timestamptz
        orders integer
        lifetime_value numeric(14,2) -- Euro, all orders.
        """), 31_900, 55, tags=("tier-1",),
    ),
    "marts.revenue": Table(
        WAREHOUSE, "dw.marts.revenue_daily", "Revenue by day and country: what the board sees.", "analytics",
        _columns("""
        day date
        country char(2)
        orders integer
        revenue_eur numeric(14,2)
        """), 9_100, 12, tags=("tier-1",),
    ),
    "marts.retention": Table(
        WAREHOUSE, "dw.marts.retention_overview", "Customers who are likely to leave, and what leaves with them.", "analytics",
        _columns("""
        country char(2)
        customers_at_risk integer
        revenue_at_risk_eur numeric(14,2)
        """), 28, 0,
    ),
    "bi.retention": Table(DASHBOARDS, "retention", "What the sales team opens on Monday.", "sales", type="DASHBOARD"),
    # machine learning
    "ml.features": Table(
        WAREHOUSE, "dw.ml.churn_features", "What the churn model sees of a customer.", "ml",
        _columns("""
        customer_id bigint
        days_since_last_order integer
        orders_90d integer
        spend_90d numeric(12,2)
        sessions_30d integer
        country char(2)
        """), 31_900, 55, tags=("feature-table",),
    ),
    "ml.model": Table(MODELS, "churn/model.json", "The trained model as a file.", "ml", type="MODEL"),
    "ml.scores": Table(
        WAREHOUSE, "dw.ml.churn_scores", "How likely a customer is to leave.", "ml",
        _columns("""
        customer_id bigint
        churn_probability double
        model_version text
        scored_at timestamptz
        """), 31_900, 55,
    ),
    "registry.churn": Table("models:", "churn/Production", "The model version that serves now.", "ml", type="MODEL"),
}  # fmt: skip
