"""Texts with a secret in them and texts without: data. Secrets are put together here, so that no scanner finds one."""

from typing import NamedTuple

WORD = "hunter2" + "Tr0ub4dor"
LONG = "aB3" * 16
HEX = "0123456789abcdef" * 2


class Shape(NamedTuple):
    rule: str
    text: str
    secret: str
    left: str
    """What the text becomes."""


def shape(rule: str, text: str, secret: str = WORD, left: str | None = None) -> Shape:
    text = text.replace("§", secret)
    return Shape(rule, text, secret, text.replace(secret, "REDACTED") if left is None else left)


_PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{LONG}\n{LONG}\n-----END RSA PRIVATE KEY-----"
_JWT = f"eyJ{LONG[:20]}.eyJ{LONG[:30]}.{LONG}"

SHAPES = [
    shape("aws-key", "s3 with §", "AKI" + "AIOSFODNN7EXAMPLE"),
    shape("aws-key", "s3 with §", "ASI" + "AIOSFODNN7EXAMPLE"),
    shape("assigned-secret", "aws_secret_access_key=§", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"),
    shape("private-key", "key:\n§\nend", _PEM),
    shape("private-key", "cut off §", f"-----BEGIN PRIVATE KEY-----\n{LONG}"),
    shape(
        "private-key", "§", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{LONG}\n-----END OPENSSH PRIVATE KEY-----"
    ),
    shape("url-password", "postgres://etl:§@db:5432/shop"),
    shape("url-password", "mongodb+srv://etl:§@a:1,b:2/x?y=z", "p%40ss"),
    shape("url-password", "mysql://etl:§@db/shop", "p@ss/w0rd"),
    shape("url-password", "jdbc:oracle:thin:scott/§@//db:1521/x", "tiger"),
    shape("assigned-secret", "jdbc:sqlserver://db:1433;user=sa;password=§;encrypt=true"),
    shape("assigned-secret", "jdbc:postgresql://db/shop?user=etl&password=§&ssl=true"),
    shape("sql-password", "CREATE USER x IDENTIFIED BY '§'"),
    shape("sql-password", "CREATE USER x IDENTIFIED BY § DEFAULT TABLESPACE y"),
    shape("sql-password", "ALTER USER x IDENTIFIED WITH mysql_native_password BY '§'"),
    shape("sql-password", "ALTER ROLE x WITH ENCRYPTED PASSWORD '§' VALID UNTIL 'infinity'", "it''s"),
    shape("sql-password", "SET PASSWORD FOR x = PASSWORD('§')"),
    shape("sql-password", "create user x password $$§$$", "a'b"),
    shape(
        "assigned-secret", "COPY t FROM 's3://b' CREDENTIALS 'aws_access_key_id=x;aws_secret_access_key=§'"
    ),
    shape("assigned-secret", "COPY INTO t FROM @s CREDENTIALS=(AWS_KEY_ID='x' AWS_SECRET_KEY='§')", 'a"b'),
    shape("authorization", "curl -H 'Authorization: Bearer §'", "abc.DEF-123~456_789=="),
    shape("authorization", "Authorization: Basic §", "ZXRsOmh1bnRlcjI="),
    shape("github-token", "clone https://§@github.com/x/y", "ghp_" + LONG[:36]),
    shape("github-token", "§", "github_pat_" + LONG[:22] + "_" + LONG),
    shape("gitlab-token", "git: §", "glpat-" + LONG[:20]),
    shape("slack-token", "slack §", "xoxb-" + "123456789012-" + LONG[:24]),
    shape("slack-webhook", "https://hooks.slack.com/services/§", "T0000/B0000/" + LONG[:24]),
    shape("stripe-key", "pay §", "sk_live_" + LONG[:24]),
    shape("stripe-key", "pay §", "rk_test_" + LONG[:24]),
    shape("google-key", "maps?k=§", "AIza" + LONG[:35]),
    shape("jwt", "cookie §;", _JWT),
    shape(
        "assigned-secret",
        "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=§;EndpointSuffix=y",
        LONG + "+/==",
    ),
    shape(
        "azure-signature",
        "https://x.blob.core.windows.net/c?sv=2024&sig=§&se=1",
        "abc%2Fdef%2Bghi" + HEX + "%3D",
    ),
    shape("openai-key", "llm §", "sk-proj-" + LONG),
    shape("huggingface-token", "hub §", "hf_" + LONG[:34]),
    shape("npm-token", "npm §", "npm_" + LONG[:36]),
    shape("headwater-token", "emit with §", "hw_" + "ab12cd_" + LONG[:43]),
    shape("assigned-secret", "password=§"),
    shape("assigned-secret", "DB_PASSWORD: §"),
    shape("assigned-secret", 'conf = {"api_key": "§", "n": 1}'),
    shape("assigned-secret", "{'clientSecret': '§'}"),
    shape("assigned-secret", r"{\"password\": \"§\"}"),
    shape("assigned-secret", 'df.option("password", "§").load()'),
    shape("assigned-secret", "failed: connect(user='etl', passwd='§')", "it's".replace("'", "")),
    shape("assigned-secret", "spark-submit --password § job.py"),
    shape("assigned-secret", "spark-submit --conf spark.hadoop.fs.s3a.secret.key=§ job.py"),
    shape("assigned-secret", "access-token = §"),
    shape("assigned-secret", "PWD=§;Server=x"),
    shape("assigned-secret", "password = 'cut off §", left="password = 'REDACTED"),
]

HARMLESS = [
    "SELECT password, token, secret FROM users",
    "SELECT * FROM a JOIN b ON a.password = b.password AND a.token=b.token",
    "CREATE TABLE users (id int, password varchar(20) not null, api_key text)",
    "UPDATE users SET password = new_password",
    "SELECT * FROM users WHERE password IS NULL OR password = ?",
    "CREATE USER x IDENTIFIED BY '${DB_PASSWORD}'",
    "ALTER USER x PASSWORD '{{ var.value.pw }}'",
    "postgres://etl@db:5432/shop and http://host:8080/path/@x and mail me@example.org",
    "postgres://etl:${PGPASSWORD}@db/shop",
    "generate(max_tokens=256, num_tokens: 1024, tokenizer: cl100k_base)",
    "tokenizer: bert-base-uncased, pad_token=[PAD], eos_token='</s>', next_token='abc12345'",
    "password = os.environ['PW']; token = get_token(1); secret = settings.secret",
    "the password: it must be long; a token: a word",
    "def login(password: str, token: str | None = None)",
    "Authorization: Bearer $TOKEN",
    "PWD=/opt/airflow",
    "keyed by primary_key=order_id, partition_key=day, customer_key = 12",
    "sk-learn pipeline, task-asia-2026, gl-account-balance",
    "the bearer of this letter, basic research",
    "key 0190a5a0-0000-7000-8000-000000000000 sha256:" + HEX + HEX,
    "secret=false, has_password=true, credentials=null",
    "REDACTED",
    "password=REDACTED",
]
