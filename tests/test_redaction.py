"""A secret is masked wherever its name, its place or its format gives it away; what only looks like one is not."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.redaction import SHOWN, Vault, is_credential_name, shown

S = "cNry-7f3A9b2Q"
LETTERS = "canarycanarycanarycanary"
ODD = "p#s5&w(o)rd!é"

CONTEXTS = {
    "environment file": "DB_PASSWORD={0}\n",
    "environment file, exported": "export API_KEY='{0}'\n",
    "environment file, with a comment": "SECRET_KEY={0} # change me later\n",
    "environment file, commented out": "# OLD_PASSWORD={0}\n",
    "environment file, spaces": "JWT_SECRET = {0}\n",
    "what Laravel hashes": "'password' => Hash::make('{0}'),\n",
    "what Spring hashes": 'new User("admin", passwordEncoder.encode("{0}"))',
    "a password for sshpass": "SSHPASS={0}\n",
    "a login of Grafana beside its address": "Grafana: http://localhost:3000 (admin / {0})\n",
    "a login of Grafana below its address": "Grafana: http://localhost:3000\n- Login: x, admin:{0}\n",
    "YAML": "password: {0}\n",
    "YAML, double quotes": 'db_password: "{0}"\n',
    "YAML, single quotes": "api_token: '{0}'\n",
    "YAML flow": "env: {{API_TOKEN: {0}, DEBUG: true}}\n",
    "YAML list of assignments": "environment:\n  - DB_PASSWORD={0}\n",
    "YAML list of quoted assignments": 'environment:\n  - "DB_PASSWORD={0}"\n',
    "YAML literal block": "password: |\n  {0}\nother: x\n",
    "YAML folded block": "secret_key: >-\n    {0}\n",
    "Kubernetes": "env:\n  - name: DB_PASSWORD\n    value: {0}\n",
    "Kubernetes, quoted": 'env:\n  - name: DB_PASSWORD\n    value: "{0}"\n',
    "label with dots": "admin.password: {0}\n",
    "JSON": '{{"password": "{0}"}}',
    "JSON, minified": '{{"a":1,"clientSecret":"{0}","b":2}}',
    "JSON, pairs": '{{"name": "DB_PASSWORD", "value": "{0}"}}',
    "JSON inside a JSON string": '{{"body": "{{\\"password\\": \\"{0}\\"}}"}}',
    "TOML": 'password = "{0}"\n',
    "INI": "[db]\npassword={0}\n",
    "properties": "spring.datasource.password={0}\n",
    "XML": "<password>{0}</password>",
    "HCL": 'secret_key = "{0}"\n',
    "Dockerfile ENV": "ENV API_TOKEN={0}\n",
    "Dockerfile ENV, old form": "ENV SECRET_KEY {0}\n",
    "Dockerfile ARG": "ARG DB_PASSWORD={0}\n",
    "Dockerfile RUN": "RUN pip install --token {0} x\n",
    "shell export": 'export PGPASSWORD="{0}"\n',
    "shell prefix": "API_KEY={0} ./deploy.sh\n",
    "shell flag": "run --password {0} --verbose\n",
    "shell flag with =": "run --admin-password={0}\n",
    "exec form": 'CMD ["run", "--password", "{0}"]\n',
    "flag over two items": "command:\n  - --requirepass\n  - {0}\n",
    "redis-server": "command: redis-server --requirepass {0} --appendonly yes\n",
    "redis.conf": "requirepass {0}\n",
    "redis-cli": "redis-cli -a {0} ping\n",
    "redis-cli, exec form": '["redis-cli", "-a", "{0}", "ping"]',
    "mysql": "mysqldump -uroot -p{0} app\n",
    "mongo": "mongosh -u root -p {0} admin\n",
    "docker login": "docker login -u me -p {0} registry\n",
    "sshpass": "sshpass -p {0} ssh host\n",
    "curl user": "curl -u admin:{0} https://example.com\n",
    "curl header": "curl -H 'Authorization: Bearer {0}' https://example.com\n",
    "nginx header": 'proxy_set_header X-Api-Key "{0}";\n',
    "SQL": "CREATE USER app IDENTIFIED BY '{0}';\n",
    "PostgreSQL URL": "DATABASE_URL=postgresql://app:{0}@db:5432/app\n",
    "Redis URL without user": "redis://:{0}@cache:6379/0",
    "AMQP": "amqp://app:{0}@mq:5672//",
    "MongoDB": "mongodb+srv://app:{0}@cluster0.abc.mongodb.net/app",
    "MongoDB, several hosts": "mongodb://app:{0}@h1:27017,h2:27017/app?replicaSet=x",
    "MySQL": "mysql+pymysql://app:{0}@db/app",
    "SMTP": "smtps://mailer:{0}@smtp.example.com:465",
    "SQL Server": "Server=db;Database=app;User Id=sa;Password={0};Encrypt=true",
    "Go's MySQL driver": 'dsn := "app:{0}@tcp(db:3306)/app"',
    "URL in a default": "DATABASE_URL: ${{DATABASE_URL:-postgres://app:{0}@db/app}}\n",
    "default inside a URL": "url: postgres://app:${{DB_PASSWORD:-{0}}}@db/app\n",
    "default": "POSTGRES_PASSWORD: ${{DB_PASSWORD:-{0}}}\n",
    "default inside a default": "X: ${{DB_PASSWORD:-${{FALLBACK:-{0}}}}}\n",
    "default, dash only": "X: ${{SECRET_KEY-{0}}}\n",
    "Python": 'secret_key: str = "{0}"\n',
    "Python Field": 'api_token: str = Field(default="{0}")\n',
    "Python Field over lines": 'other_password: str = Field(\n    default="{0}",\n)\n',
    "Python SecretStr": 'password = SecretStr("{0}")\n',
    "Python getenv": 'key = os.getenv("API_KEY", "{0}")\n',
    "Python environ": 'os.environ["DB_PASSWORD"] = "{0}"\n',
    "Python or": 'key = os.getenv("API_KEY") or "{0}"\n',
    "Python dict": 'config = {{"password": "{0}"}}\n',
    "Python keyword": 'connect(host="db", password="{0}")\n',
    "Python triple quotes": 'SECRET = """{0}"""\n',
    "TypeScript": 'const apiKey = "{0}";\n',
    "TypeScript ??": 'const key = process.env.API_KEY ?? "{0}";\n',
    "TypeScript ||": "const secret = process.env.JWT_SECRET || '{0}';\n",
    "TypeScript field": "  password: '{0}',\n",
    "Go": 'password := "{0}"\n',
    "Ruby": "password => '{0}'\n",
    "Markdown prose": "The password is `{0}`.\n",
    "Markdown list": "- **Password**: `{0}`\n",
    "Markdown list, no code": "- Password: {0}\n",
    "Markdown table": "| `DB_PASSWORD` | `{0}` |\n",
    "Markdown code": "```sh\nexport DB_PASSWORD={0}\n```\n",
    "Alertmanager SMTP": "smtp_auth_password: {0}\n",
    "Alertmanager Slack": "slack_api_url: https://hooks.slack.com/services/T0/B0/{0}\n",
    "Alertmanager Slack receiver": 'slack_configs: [{{api_url: "https://hooks.slack.com/services/T0/B0/{0}"}}]\n',
    "Alertmanager PagerDuty": "pagerduty_configs: [{{routing_key: {0}}}]\n",
    "Alertmanager Telegram": "telegram_configs: [{{bot_token: {0}, chat_id: 1}}]\n",
    "Alertmanager Opsgenie": "opsgenie_api_key: {0}\n",
    "Discord": "url: https://discord.com/api/webhooks/123/{0}\n",
    "Teams": "webhook_url: https://acme.webhook.office.com/webhookb2/{0}\n",
    "Telegram URL": "https://api.telegram.org/bot123:{0}/sendMessage",
    "Prometheus basic_auth": "basic_auth: {{username: a, password: {0}}}\n",
    "Prometheus bearer": "bearer_token: {0}\n",
    "Prometheus credentials": "authorization:\n  credentials: {0}\n",
    "Grafana": "secureJsonData:\n  password: {0}\n",
    "Grafana environment": "GF_SECURITY_ADMIN_PASSWORD={0}\n",
    "workflow": "env: {{API_TOKEN: {0}}}\n",
    "Loki URL": "url: https://user:{0}@logs.example.com/loki/api/v1/push\n",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\n{0}{0}\n-----END RSA PRIVATE KEY-----\n",
    ".netrc": "machine example.com login me password {0}\n",
    ".netrc that printf writes": "RUN printf 'machine example.com\\nlogin me\\npassword {0}\\n' > /root/.netrc",
    ".pgpass": "db:5432:app:app:{0}\n",
    ".npmrc": "//npm.example.com/:_authToken={0}\n",
    "Docker's config.json": '{{"auths": {{"r": {{"auth": "{0}{0}Ab1"}}}}}}',
    "far along a line": "x" * 100_000 + ' {{"password": "{0}"}}',
    "Azure storage": "AccountName=a;AccountKey={0};EndpointSuffix=core",
    "compose label": '      - "traefik.auth.password={0}"\n',
}

FORMATS = [
    "AKIA1234567890ABCDEF",
    "ghp_" + "a1B2" * 9,
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefGHIJKL",
    "sk_live_abcdefghijklmnop1234",
    "AIzaSy" + "a1B2c" * 6 + "xyz",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF2QT4",
    "$apr1$abcdefgh$0123456789abcdefghij",
    "$2y$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde",
]

NEAR_MISSES = [
    "JWT_SECRET: openssl rand -base64 64",
    "permissions:\n  id-token: write\n",
    "ACCESS_TOKEN_EXPIRE_MINUTES=30\n",
    "access_token_expire: 11520\n",
    "password_file: /run/secrets/db\n",
    "POSTGRES_PASSWORD_FILE: /run/secrets/db_password\n",
    "PASSWORD=${X}\n",
    "PASSWORD: $X\n",
    "DB_PASSWORD: ${DB_PASSWORD:?set it}\n",
    "password: ${{ secrets.DB_PASSWORD }}\n",
    "password: {{ vault_password }}\n",
    "secrets:\n  - db_password\n  - api_key\n",
    "secrets:\n  db_password:\n    file: ./db_password.txt\n",
    "secrets: inherit\n",
    "secretKeyRef:\n  name: db\n  key: password\n",
    "matchExpressions:\n  - key: app\n    operator: In\n",
    "key: value\n",
    "cache-key: v1-deps\n",
    "token_url: https://auth.example.com/token\n",
    "tokenizer: bert-base\n",
    "max_tokens: 4096\n",
    "def get_token(user: str, password: str) -> Token:\n",
    "if not verify_password(password, user.hashed_password):\n",
    "password: string;\n",
    "password: str\n",
    "passwordless: maybe\n",
    "compass: north\n",
    "image: registry:5000/team/app@sha256:abcdef\n",
    "http://localhost:8080/path@x\n",
    "https://github.com/a/b/blob/main/x.md\n",
    "git@github.com:acme/app.git\n",
    "postgresql://app:${DB_PASSWORD}@db:5432/app\n",
    "postgresql://{user}:{password}@{host}/app\n",
    "postgresql://user:<password>@host/db\n",
    "Use token authentication for requests.\n",
    "bearer authentication is required\n",
    "api_key: <your key>\n",
    "ssh -p 2222 host\n",
    "mkdir -p /var/lib/app\n",
    "primary_key=True\n",
    "PUBLIC_KEY_PATH=./key.pub\n",
    "PWD=/home/app\n",
    "# SECRET_KEY: signs the access tokens; 32 random bytes in hex\n",
    "- `DB_PASSWORD`: The password of the database.\n",
    "`SECRET_KEY`:\n\n```bash\nexport X=1\n```\n",
    'names = ("secret", "services", "volumes")\n',
    "secrets: [slack_webhook_url, pagerduty_routing_key]\n",
    "POSTGRES_PASSWORD: db-${{ github.run_id }}-${{ github.run_attempt }}\n",
    "secret: KUBECONFIG_DATA\n",
    "location ~ \\.php$ { fastcgi_pass php-fpm; }\n",
    "proxy_pass web-app1;\n",
]
CODE_NEAR_MISSES = [
    "password = form.password\n",
    "token = create_token(user)\n",
    "const apiKey = process.env.API_KEY;\n",
    "password: body.password,\n",
    "self.secret_key = secret_key\n",
]


@pytest.mark.parametrize("secret", [S, LETTERS], ids=["odd", "letters"])
@pytest.mark.parametrize("name", CONTEXTS)
def test_a_secret_is_masked_in_its_context(name, secret):
    text = CONTEXTS[name].format(secret)
    masked = Vault().mask(text)
    assert secret not in masked
    assert "‹secret, " in masked


@pytest.mark.parametrize("secret", [S, LETTERS], ids=["odd", "letters"])
@pytest.mark.parametrize("name", CONTEXTS)
def test_a_secret_learned_from_its_context_is_masked_elsewhere(name, secret):
    vault = Vault()
    vault.learn(CONTEXTS[name].format(secret))
    assert name in ("private key", "Docker's config.json") or secret not in vault.mask(f"the value {secret} again")


ODD_CONTEXTS = ["A_PASSWORD={0}\n", "password: {0}\n", 'password: "{0}"\n', "url: ftp://a:{0}@h/x\n"]


@pytest.mark.parametrize("context", ODD_CONTEXTS)
@pytest.mark.parametrize("secret", [ODD, "a@b:c1", "ab:c1/d", "x%40y1z2", "ab'cd1", "1234", "Ab/12+34=="])
def test_odd_characters_are_masked_to_the_last(context, secret):
    masked = Vault().mask(context.format(secret))
    rest = re.sub("‹[^›]*›", "", masked)
    assert rest == context.format("") or "ab'cd1" in secret


QUOTED_CONTEXTS = [
    'password: "{0}"\n',
    'secret_key: str = "{0}"\n',
    'os.getenv("API_KEY", "{0}")',
    'shared_key "{0}"\n',
    'run --password "{0}"\n',
    "mysql -u root -p'{0}' app\n",
    'params: {{token: ["{0}"]}}\n',
    'user.set_password("{0}")\n',
]


@pytest.mark.parametrize("context", QUOTED_CONTEXTS)
@pytest.mark.parametrize(
    "secret", ["!abc1d", "#abc1d", "*abc1d", "&abc1d", "{abc1d", "a=b;c?1", "a,b,c1", "a|b&c<1", "x)y]1"]
)
def test_in_quotes_every_character_belongs_to_the_secret(context, secret):
    assert secret not in Vault().mask(context.format(secret))


@pytest.mark.parametrize("secret", FORMATS)
def test_a_provider_s_format_is_enough(secret):
    assert secret not in Vault().mask(f"see {secret} there")


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_only_looks_like_a_secret_is_shown(text):
    assert Vault().mask(text) == text


@pytest.mark.parametrize("text", CODE_NEAR_MISSES)
def test_in_code_only_quoted_text_is_a_value(text):
    vault = Vault()
    vault.learn(text, code=True)
    for word in re.findall(r"[\w.()]+", text):
        assert vault.mask(word) == word


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "apiKey", "secret-key", "JWT_SECRET_KEY", "SENTRY_DSN", "a.token", "DB_PW", "WIFI_PSK", "SSH_KEY",
     "TLS_KEY", "WIREGUARD_KEY", "RABBITMQ_ERLANG_COOKIE", "WALLET_MNEMONIC", "TOTP_SEED", "DB_PASSWORD_PROD",
     "API_TOKEN_BUCHHALTUNG", "STRIPE_SECRET_KEY_TEST", "SECRET_KEY_BASE", "API_KEY_EU"],
)  # fmt: skip
def test_names_of_credentials(name):
    assert is_credential_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN_TTL",
        "PASSWORD_FILE",
        "key",
        "compass",
        "KEYCLOAK_URL",
        "tokenizer",
        "SSH_KEY_PATH",
        "SESSION_COOKIE",
        "RANDOM_SEED",
        "CPW",
        "API_KEY_HEADER",
        "API_TOKEN_EXPIRY",
        "API_TOKEN_ISSUER",
        "API_TOKEN_AUDIENCE",
        "API_TOKEN_VALIDITY",
        "API_KEY_TIMEOUT",
        "JWT_ACCESS_EXPIRATION",
        "PASSWORD_MIN_LENGTH",
        "SECRET_NAME",
    ],
)
def test_names_of_others(name):
    assert not is_credential_name(name)


def test_overlapping_findings_leave_no_tail():
    text = "PASSWORD=postgres://app:hunter2secret@db/app TOKEN=x"
    assert "hunter2" not in Vault().mask(text)
    assert "@db" not in Vault().mask("PASSWORD=postgres://app:hunter2secret@db")


def test_a_value_tells_what_it_is_without_showing_it():
    vault = Vault()
    value = vault.value("DB_PASSWORD", "password123")
    assert (value.secret, value.weak, value.length, value.text) == (True, True, 11, shown("password123"))
    assert vault.value("API_KEY", "change-me-please").placeholder
    assert not vault.value("CONTACT", "ops@exchange.acme.org").placeholder
    assert vault.value("OTHER_PASSWORD", "password123").identity == value.identity
    assert vault.value("PORT", "8080").identity == 0


def test_an_allowed_name_stays_and_other_spellings_do_not():
    vault = Vault()
    vault.learn("DB_PASSWORD=cache-01\nAPI_TOKEN=a%2Fb%2Fc-99\n")
    assert vault.mask("cache-01") != "cache-01"
    vault.allow("cache-01")
    assert vault.mask("cache-01") == "cache-01"
    assert "a/b/c-99" not in vault.mask("see a/b/c-99")


@given(st.lists(st.text("ab1", min_size=6, max_size=9), max_size=40), st.data())
def test_a_known_secret_is_found_whenever_it_was_learnt(secrets, data):
    vault = Vault()
    for count, secret in enumerate(secrets, start=1):
        vault.value("PASSWORD", secret)
        known = data.draw(st.sampled_from(secrets[:count]))
        assert known.isalpha() or known not in vault.mask(f"see {known}.")


@pytest.mark.parametrize("text", ["clickhouse:9000/analytics", "db:3306", "host=db port=5432 dbname=shop"])
def test_where_a_data_source_is_tells_no_secret(text):
    assert not Vault().value("CLICKHOUSE_DSN", text).secret
    assert Vault().value("CLICKHOUSE_DSN", f"{text} password=hunter2hunter").secret


def test_a_number_is_not_masked_inside_a_longer_one():
    vault = Vault()
    vault.learn("DB_PASSWORD=123456\n")
    assert vault.mask("id 91234567") == "id 91234567"
    assert vault.mask("id 123456") != "id 123456"


def test_words_of_a_document_reveal_nothing():
    vault = Vault()
    vault.learn(f"DB_PASSWORD={S}\n")
    assert vault.reveals("7f3a9b2q")
    assert not vault.reveals("database")


@settings(max_examples=150)
@given(st.text(max_size=300))
def test_any_text_is_masked_without_a_complaint_and_masking_again_changes_nothing_of_secrets(text):
    vault = Vault()
    vault.learn(text)
    masked = vault.mask(text)
    assert isinstance(masked, str)
    vault.learn(text, code=True)


@settings(max_examples=150)
@given(
    st.from_regex(r"[A-Za-z0-9_.!*~+-]{3,10}[0-9][A-Za-z0-9]{2,20}", fullmatch=True), st.sampled_from(sorted(CONTEXTS))
)
def test_any_secret_of_ordinary_characters_is_masked_in_every_context(secret, name):
    if not re.match(r"[*!.~+-]|\d+$", secret) and "config.json" not in name:
        assert secret not in Vault().mask(CONTEXTS[name].format(secret))


FRAGMENTS = ["password", "=", ": ", "'", '"', "${", "}", "://", "@", "\n", "  ", "x1", "token ", "-p", "\\", "`", "|"]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40))
def test_fragments_of_syntax_never_raise(parts):
    Vault().mask("".join(parts))


def test_each_line_of_a_secret_of_several_lines_is_masked_where_it_stands_alone():
    lines = ["MIIEowIBAAKCAQEA7bq98s", "Zk3TzXq0aVwLw1Y9pQmN2c"]
    vault = Vault()
    vault.learn("-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(lines) + "\n-----END RSA PRIVATE KEY-----\n")
    assert not [line for line in lines if line in vault.mask(f"    {line}")]


@pytest.mark.parametrize(
    "text",
    [
        "X = os.getenv('STRIPE_KEY', '{0}')",
        "Y = os.environ.get('PIN') or '{0}'",
        "RUN echo {0} | docker login -u x --password-stdin",
        "params: {{token: [{0}]}}",
        "targets: ['u:{0}@api:80']",
        "BROKENLINE {0}",
        "cypress run --record --key {0}",
        "hosts: list = ['{0}']",
    ],
)
def test_what_is_random_to_all_appearances_is_masked_without_a_name(text):
    random = "ZqNk9vTbLm7RwPd3XyH2"
    assert random not in Vault().mask(text.format(random))


@pytest.mark.parametrize(
    "text",
    [
        "postgres@sha256:4f0bb1a3c1e2d5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0",
        "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
        "ConfigureContainerOrchestration2Settings",
        "http_request_duration_seconds_bucket",
        "/srv/Releases2024/AppOne3/BuildX77Output",
    ],
)
def test_names_and_digests_are_not_random(text):
    assert Vault().mask(text) == text


@pytest.mark.parametrize(
    ("name", "text", "hidden", "secret"),
    [
        ("AUTH", "sunflower", True, False),
        ("REDIS_AUTH", "hunter22", True, False),
        ("AUTH", "admin:sunflower", True, True),
        ("AUTH", "basic", False, False),
        ("REQUIRE_AUTH", "staff", False, False),
    ],
)
def test_a_word_of_which_only_the_name_auth_speaks_is_hidden_and_no_ground_for_a_finding(name, text, hidden, secret):
    value = Vault().value(name, text)
    assert ("‹secret" in value.text, value.secret) == (hidden, secret)


@pytest.mark.parametrize(
    ("said", "shown_as"),
    [
        ("container registry password is hard-coded", "container registry password is hard-coded"),
        ("'--masterauth' with a literal value", "'--masterauth' with a literal value"),
        ("'--requirepass hunter2word' is set", "'--requirepass ‹›' is set"),
        ("the password tr0ub4dor&3x is set", "the password ‹› is set"),
    ],
)
def test_of_a_scanners_sentence_what_it_quotes_is_masked(said, shown_as):
    vault = Vault()
    vault.learn("DB_PASSWORD=tr0ub4dor&3x\n", env=True)

    assert SHOWN.sub("‹›", vault.mask_quoted(said)) == shown_as
