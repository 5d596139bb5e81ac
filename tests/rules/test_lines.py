"""Lines that a finding advises to write, in the names of the repository that they are for."""

import subprocess

import pytest

from auditlib import graph, readers, rules
from auditlib.source import Source

API = """services:
  api:
    build: ./api
    restart: always
"""
DOCKERFILE = 'FROM python:3.12-slim\nEXPOSE 8000\nCMD ["uvicorn", "main:app"]\n'
HEALTH = 'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/health")\ndef health(): return {}\n'
PROMETHEUS = "scrape_configs:\n  - job_name: db\n    static_configs: [{targets: ['postgres-exporter:9187']}]\n"
NETWORKS = """services:
  api: {image: "example/api:1", networks: [inside]}
  db: {image: "postgres:16", networks: [inside]}
  prometheus:
    image: prom/prometheus:v3.4.2
    networks: [watch]
    volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml"]
  proxy:
    image: nginx:1.27
    networks: [edge, inside]
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf"]
networks: {inside: {}, watch: {}, edge: {}}
"""
NGINX = "events {}\nhttp { server { listen 80; location / { proxy_pass http://grafana:3000; } } }\n"
ALERTS = "groups:\n  - name: a\n    rules:\n      - {alert: DiskFull, expr: node_filesystem_avail_bytes < 1}\n"
OURS = "hunter2-of-ours-Kq8vT2xW9zLm"
CHECKING = "on: pull_request\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: pytest\n"
KEPT = {
    "compose.yaml": "services:\n  db:\n    image: postgres:16\n    volumes: ['data:/var/lib/postgresql/data']\n"
                    f"    environment: {{POSTGRES_PASSWORD: '${{POSTGRES_PASSWORD:-{OURS}}}'}}\n"
                    "volumes: {data: {}}\n",
}  # fmt: skip
TOLD = """docker compose exec -T -e NEW="$POSTGRES_PASSWORD" db sh -c 'psql"""
REPLACING = {
    "secret-not-rotatable": {"app/settings.py": f'POSTGRES_PASSWORD = "{OURS}"\n'},
    "credential-shared": {"app/settings.py": f'JWT_SECRET = "{OURS}"\n'},
    "credential-in-url": {"alembic.ini": f"[alembic]\nsqlalchemy.url = postgresql://app:{OURS}@db/app\n"},
    "env-file-committed": {".env": f"POSTGRES_PASSWORD={OURS}\n"},
    "setting-default-insecure": {"app/settings.py": f'DB_PASSWORD = "{OURS}"\n'},
    "template-holds-real-secret": {".env.example": "POSTGRES_PASSWORD=8fK2pQ9xVb3nR7tYw1ZsLc6Dm4HjGa0E\n"},
    "secret-in-build-argument": {"Dockerfile": "FROM python:3.12-slim\nARG POSTGRES_PASSWORD\n"},
    "secret-in-image-layer": {"Dockerfile": f"FROM python:3.12-slim\nENV POSTGRES_PASSWORD={OURS}\n"},
}
SETTINGS = (
    "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n"
    f'    DB_PASSWORD: str = "{OURS}"\n'
    "    @property\n    def allowed_origins(self):\n        return ['https://your-domain.com']\n"
)
CASES = {
    "a site with a certificate is probed by the name that it is for": (
        "service-unmonitored",
        {
            "compose.yaml": "services:\n  api: {build: ./api}\n"
                            "  web: {image: 'example/web:1', ports: ['443:443']}\n",
            "prometheus.yml": PROMETHEUS.replace("postgres-exporter:9187", "api:8000"),
        },
        'targets: ["https://<the name of the site>"]',
    ),
    "an alert on targets has a severity that the others have": (
        "target-down-unnoticed",
        {
            "prometheus.yml": "rule_files: [alerts.yml]\n" + PROMETHEUS,
            "alerts.yml": ALERTS.replace("bytes < 1", "bytes < 1, labels: {severity: page}"),
            "compose.yaml": "services: {prometheus: {image: 'prom/prometheus:v3.4.2', "
                            "volumes: ['.:/etc/prometheus']}}\n",
        },
        "labels: {severity: page}",
    ),
    "a queue on disk has a volume": (
        "worker-task-loss",
        {
            "compose.yaml": "services:\n  worker:\n    build: .\n    command: celery -A tasks worker\n"
                            "    environment: {CELERY_BROKER_URL: 'redis://queue:6379/0'}\n"
                            "  queue: {image: 'redis:7'}\n",
            "Dockerfile": "FROM python:3.12-slim\nCOPY . .\n",
            "tasks.py": 'from celery import Celery\napp = Celery("shop", broker="redis://queue")\n',
        },
        "volumes: [queue-data:/data]\nvolumes:\n  queue-data:",
    ),
    "a release that pm2 runs comes back by the script that brings it": (
        "rollback-undocumented",
        {"compose.yaml": API, "api/Dockerfile": DOCKERFILE, "README.md": "# Shop\n",
         "deploy.sh": "#!/bin/sh\nssh app@acme.io 'git pull && pm2 reload chat'\n"},
        "The steps of `deploy.sh`, with the commit of that release",
    ),
    "files are collected anew after each deployment": (
        "volume-hides-image",
        {
            "compose.yaml": "services: {web: {build: ., volumes: ['static:/app/static']}}\nvolumes: {static: {}}\n",
            "Dockerfile": "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN python manage.py collectstatic --noinput\n"
                          'CMD ["gunicorn", "shop.wsgi"]\n',
        },
        "# after each deployment\n"
        "docker compose run --rm --no-deps --user 0 web python manage.py collectstatic --noinput",
    ),
    "a runbook is written where those of the other alerts are": (
        "runbook-missing",
        {
            "prometheus.yml": "rule_files: [alerts.yml]\n" + PROMETHEUS,
            "alerts.yml": ALERTS
            + "      - {alert: Down, expr: up < 1, annotations: {runbook: 'ops/steps.md#down'}}\n",
            "ops/steps.md": "# Steps\n",
        },
        "runbook: ops/steps.md#diskfull",
    ),
    "a build in a workflow gets its secret there": (
        "secret-in-build-argument",
        {
            "web/Dockerfile": "FROM node:24\nARG NPM_TOKEN\nRUN npm ci\n",
            ".github/workflows/ci.yml": CHECKING + "      - uses: docker/build-push-action@v6\n        with:\n"
                                        "          build-args: NPM_TOKEN=${{ secrets.NPM_TOKEN }}\n",
        },
        "# .github/workflows/ci.yml\nwith:\n  secrets: |\n    npm_token=${{ secrets.NPM_TOKEN }}",
    ),
    "an Alertmanager that is added reads the configuration that there is": (
        "scrape-target-unresolved",
        {
            "compose.yaml": "services: {prometheus: {image: 'prom/prometheus:v3.4.2', "
                            "volumes: ['./prometheus.yml:/etc/prometheus/prometheus.yml']}}\n",
            "prometheus.yml": "alerting: {alertmanagers: [{static_configs: [{targets: ['alertmanager:9093']}]}]}\n"
                              "scrape_configs: [{job_name: a, static_configs: [{targets: ['localhost:9090']}]}]\n",
            "watch/alertmanager.yml": "route: {receiver: team}\nreceivers: [{name: team}]\n",
        },
        'volumes: ["./watch/alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro"]',
    ),
    "a variable that a container isn't given is filled in by Compose": (
        "variable-not-expanded",
        {"compose.yaml": "services:\n  cache:\n    image: redis:7\n"
                         "    command: redis-server --requirepass $${REDIS_PASSWORD}\n"},
        '"--requirepass", "${REDIS_PASSWORD:?set it in .env}"]',
    ),
    "a first test in the language of the package": (
        "test-suite-empty",
        {
            ".github/workflows/ci.yml": CHECKING.replace(
                "- run: pytest", "- uses: actions/checkout@v4\n      - run: npx jest"
            ),
            "package.json": '{"devDependencies": {"jest": "29.7.0"}}',
        },
        "tests/<thing>.test.js",
    ),
    "a secret that no job reads is taken out": (
        "secret-for-all-jobs",
        {
            ".github/workflows/ci.yml": CHECKING.replace("jobs:", "env: {TOKEN: '${{ secrets.TOKEN }}'}\njobs:")
            + "  push:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: docker/login-action@v3\n"
            "        with: {password: '${{ secrets.TOKEN }}'}\n",
        },
        "env:\n  # without TOKEN",
    ),
    "a workflow that is called gets what it needs": (
        "release-unchecked",
        {
            ".github/workflows/ci.yml": CHECKING.replace(
                "      - run", "      - env: {API_KEY: '${{ secrets.API_KEY }}'}\n        run"
            ),
            ".github/workflows/publish.yml": "on: {push: {tags: ['v*']}}\njobs:\n  npm:\n    runs-on: ubuntu-24.04\n"
                                             "    steps: [{run: npm publish}]\n",
        },
        "among its triggers\n    secrets: inherit\n  npm:",
    ),
    "a token of a request comes from a file": (
        "receiver-variable-unexpanded",
        {
            "compose.yaml": "services:\n  alertmanager:\n    image: prom/alertmanager:v0.28.0\n"
                            "    volumes: ['./alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro']\n",
            "alertmanager.yml": "route: {receiver: hook}\nreceivers:\n  - name: hook\n    webhook_configs:\n"
                                "      - url: http://healer:8080/\n        http_config: {bearer_token: '${TOKEN}'}\n",
        },
        "  authorization:\n    credentials_file: /run/secrets/token",
    ),
    "a database for tests starts with a password": (
        "tests-on-other-database",
        {
            "compose.yaml": "services: {db: {image: 'postgres:16'}}\n",
            ".github/workflows/ci.yml": CHECKING.replace(
                "    steps:", "    env: {DATABASE_URL: 'sqlite:///test.db'}\n    steps:"
            ),
        },
        "image: postgres:16\n        env: {POSTGRES_PASSWORD: only-for-tests}\n        ports: [\"5432:5432\"]",
    ),
    "volumes of their own are declared": (
        "volume-shared-writers",
        {
            "compose.yaml": "services:\n  api: {image: 'example/api:1', volumes: ['logs:/app/logs']}\n"
                            "  worker: {image: 'example/api:1', volumes: ['logs:/app/logs']}\nvolumes: {logs: {}}\n",
        },
        "volumes:\n  logs-api:\n  logs-worker:",
    ),
    "a schedule is given to the application by its name": (
        "schedule-empty",
        {
            "compose.yaml": "services:\n  beat: {build: ., command: celery -A tasks beat}\n",
            "Dockerfile": "FROM python:3.12-slim\nCOPY . .\n",
            "tasks.py": 'from celery import Celery\nqueue = Celery("shop", broker="redis://redis")\n',
        },
        "queue.conf.beat_schedule = ",
    ),
    "an exporter gets the password that its server asks for": (
        "scrape-target-unresolved",
        {
            "compose.yaml": "services:\n  cache:\n    image: redis:7\n"
                            "    command: redis-server --requirepass ${REDIS_PASSWORD:?}\n",
            "prometheus.yml": PROMETHEUS.replace("postgres-exporter:9187", "redis-exporter:9121"),
        },
        "REDIS_ADDR: redis://cache:6379\n      REDIS_PASSWORD: ${REDIS_PASSWORD:?",
    ),
    "several receivers in one list": (
        "receiver-placeholder",
        {
            "alertmanager.yml": "route: {receiver: mail}\nreceivers:\n"
            "  - name: chat\n    slack_configs:\n      - api_url: https://hooks.slack.com/services/<id>\n"
            "  - name: mail\n    email_configs:\n      - to: you@example.com\n        smarthost: smtp.acme.io:587\n"
        },
        "api_url_file: /run/secrets/chat_api_url\n  - name: mail\n",
    ),
    "tests after what installs them": (
        "test-suite-not-run",
        {
            ".github/workflows/ci.yml": CHECKING.replace("pytest", "ruff check ."),
            "api/requirements.txt": "fastapi==0.115.2\n",
            "api/requirements-dev.txt": "pytest==8.3.4\n",
            "api/tests/test_a.py": "from main import app\n\ndef test_a():\n    assert app\n",
        },
        "- run: pip install -r requirements.txt -r requirements-dev.txt\n  working-directory: api\n- run: python -m",
    ),
    "tests with the manager whose lock file is there": (
        "test-suite-not-run",
        {
            ".github/workflows/ci.yml": CHECKING.replace("pytest", "ruff check ."),
            "package.json": '{"devDependencies": {"vitest": "3.0.0"}}',
            "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
            "src/a.test.ts": 'import { test, expect } from "vitest";\ntest("a", () => { expect(1).toBe(1); });\n',
        },
        "- run: pnpm install --frozen-lockfile\n- run: npx vitest run",
    ),
    "a check without the switch that makes it succeed": (
        "step-cannot-fail",
        {".github/workflows/ci.yml": CHECKING.replace("pytest", "flake8 app --exit-zero")},
        "- run: flake8 app",
    ),
    "a check of a longer step as it is written there": (
        "step-cannot-fail",
        {
            ".github/workflows/ci.yml": CHECKING.replace(
                "pytest", '|\n          for f in *.py; do\n            mypy "$f" > out.txt || true\n          done'
            )
        },
        '    mypy "$f" > out.txt',
    ),
    "a class of settings gets a field without a default": (
        "setting-default-insecure", {"app/settings.py": SETTINGS}, "DB_PASSWORD: str  # in Settings, without a default"
    ),
    "a class of settings gets a field for its origins": (
        "cors-placeholder", {"app/settings.py": SETTINGS}, "ALLOWED_ORIGINS: list[str]  # in Settings"
    ),
    "code beside no class of settings asks the environment": (
        "cors-placeholder", {"app/main.py": "allowed_origins = ['https://your-domain.com']\n"},
        'os.environ["ALLOWED_ORIGINS"]',
    ),
    "a health check asks a port that speaks HTTP": (
        "healthcheck-missing",
        {"compose.yaml": 'services:\n  gateway: {build: ., restart: always, ports: ["1883:1883", "8083:8083"]}\n',
         "Dockerfile": 'FROM node:20\nCMD ["node", "server.js"]\n'},
        "fetch('http://127.0.0.1:8083/')",
    ),
    "an address in Compose loses its password": (
        "credential-in-url",
        {"compose.yaml": f"services:\n  api:\n    image: example/api:1\n    environment:\n      DATABASE_URL: "
                         f"postgresql://app:{OURS}@db:5432/app\n",
         "alembic.ini": f"[alembic]\nsqlalchemy.url = postgresql://app:{OURS}@db/app\n"},
        "DATABASE_URL: postgresql://app:${DATABASE_PASSWORD:?set it in .env}@db:5432/app\n",
    ),
    "an address in a script gets its password from the environment": (
        "credential-in-url", {"run.sh": f'#!/bin/sh\nexport URL="${{URL:-postgresql://app:{OURS}@db/app}}"\n'},
        "\npostgresql://app:${POSTGRES_PASSWORD:?}@db/app",
    ),
    "an address in a file of variables loses its password": (
        "credential-in-url", {"backend.env": f"DATABASE_URL=postgresql://app:{OURS}@db/app\n"},
        "DATABASE_URL=postgresql://app@db/app\n# the program puts",
    ),
    "an address in a class of settings gets its password from a field": (
        "credential-in-url",
        {"app/settings.py": SETTINGS.replace(f'DB_PASSWORD: str = "{OURS}"',
                                             f'DATABASE_URL: str = "postgresql://app:{OURS}@db/app"'),
         "alembic.ini": f"[alembic]\nsqlalchemy.url = postgresql://app:{OURS}@db/app\n"},
        """f"postgresql://app:{quote(self.DATABASE_PASSWORD, safe='')}@db/app\"""",
    ),
    "an address in code gets its password from the environment": (
        "credential-in-url",
        {"app/db.py": f'import os\nDATABASE_URL = os.getenv("DATABASE_URL", "postgresql://app:{OURS}@db/app")\n',
         "alembic.ini": f"[alembic]\nsqlalchemy.url = postgresql://app:{OURS}@db/app\n"},
        """f"postgresql://app:{quote(os.environ['DATABASE_PASSWORD'], safe='')}@db/app\"""",
    ),
    "what turns tracing on stays without it": (
        "secret-traced",
        {"scripts/a.sh": "#!/bin/bash\nset -eux -o pipefail\ncurl -H \"X: $API_TOKEN\" https://acme.io\n"},
        "set -eu -o pipefail  # line 2",
    ),
    "several jobs that deploy get one group of their workflow": (
        "deployments-overlap",
        {".github/workflows/cd.yml": "on: {push: {branches: [main]}}\njobs:\n  api:\n    runs-on: ubuntu-24.04\n"
                                     "    steps: [{run: kubectl apply -f api}]\n  web:\n    runs-on: ubuntu-24.04\n"
                                     "    steps: [{run: kubectl apply -f web}]\n"},
        "group: ${{ github.workflow }}-${{ github.ref }}",
    ),
    "a command for a project names the files that Compose doesn't find by itself": (
        "credential-default",
        {"docker-compose.prod.yml": "services:\n  db:\n    image: postgres:16\n    environment:\n"
                                    "      POSTGRES_PASSWORD: ${DB_PASSWORD:-shop}\n"
                                    "    volumes: ['data:/var/lib/postgresql/data']\nvolumes: {data: }\n"},
        """docker compose -f docker-compose.prod.yml exec -T -e NEW="$DB_PASSWORD" db sh -c""",
    ),
    "a probe asks the route of the code with what the image holds": (
        "healthcheck-missing",
        {"compose.yaml": API, "api/Dockerfile": DOCKERFILE, "api/main.py": HEALTH},
        """r.urlopen('http://127.0.0.1:8000/health')""",
    ),
    "Traefik asks itself, and is told to answer": (
        "healthcheck-missing",
        {"compose.yaml": "services:\n  proxy:\n    image: traefik:3.6\n    ports: ['80:80']\n"
                         "    command: [--providers.docker]\n"},
        '["CMD", "traefik", "healthcheck", "--ping"]\n  interval: 10s\n  timeout: 5s\n'.replace("\n", "\n  ")
        + "  retries: 5\n  command:\n    - --ping=true",
    ),
    "a store with a password is asked with it": (
        "healthcheck-missing",
        {"compose.yaml": "services:\n  cache:\n    image: redis:7\n"
                         "    command: redis-server --requirepass ${PASSWORD}\n"},
        "REDISCLI_AUTH=<its password> redis-cli ping | grep -q PONG",
    ),
    "a program that nobody knows has no known route": (
        "healthcheck-missing",
        {"compose.yaml": "services:\n  api: {image: 'ghcr.io/acme/api:1', ports: ['8080:8080']}\n",
         "Dockerfile": "FROM golang:1.25\nHEALTHCHECK CMD [\"/api\", \"check\"]\n"},
        "http://127.0.0.1:8080/<a path that answers without a login>",
    ),
    "a server that leads on to TLS is asked for any answer": (
        "healthcheck-missing",
        {"compose.yaml": "services:\n  web: {image: 'nginx:1.29', ports: ['80:80', '443:443']}\n"},
        '["CMD", "curl", "-sS", "-o", "/dev/null", "http://127.0.0.1:80/"]',
    ),
    "Spring Boot has a route for its health": (
        "healthcheck-missing",
        {"compose.yaml": API, "api/Dockerfile": "FROM eclipse-temurin:21\nEXPOSE 8080\nCMD java -jar a.jar\n",
         "api/src/main/resources/application.yml": "management: {server: {port: 8080}}\n",
         "prometheus.yml": "scrape_configs:\n  - job_name: api\n    metrics_path: /actuator/prometheus\n"
                           "    static_configs: [{targets: ['api:8080']}]\n"},
        "http://127.0.0.1:8080/actuator/health",
    ),
    "a distroless image holds its program alone": (
        "healthcheck-missing",
        {"compose.yaml": API, "api/Dockerfile": "FROM gcr.io/distroless/static\nEXPOSE 8080\nENTRYPOINT [\"/api\"]\n"},
        '["CMD", "<the path of the program in the image>"',
    ),
    "an old Node.js has no fetch": (
        "healthcheck-missing",
        {"compose.yaml": API, "api/Dockerfile": 'FROM node:16-slim\nEXPOSE 8000\nCMD ["node", "server.js"]\n'},
        "require('http').get('http://127.0.0.1:8000/'",
    ),
    "a service that runs another command than its image gets no port of the image": (
        "healthcheck-missing",
        {"compose.yaml": f"{API}    command: python beat.py\n", "api/Dockerfile": DOCKERFILE, "api/main.py": HEALTH},
        '["CMD", "<a command of its image that fails when it no longer works>"]',
    ),
    "a worker of Celery is asked by Celery": (
        "healthcheck-missing",
        {"compose.yaml": f"{API}    command: celery -A shop.tasks worker\n", "api/Dockerfile": DOCKERFILE},
        "celery -A shop.tasks inspect ping",
    ),
    "Prometheus is asked at the end that it has for that": (
        "healthcheck-missing",
        {"compose.yaml": "services:\n  watch:\n    image: prom/prometheus:v3.4.2\n  db:\n    image: postgres:16\n"
                         "    healthcheck: {test: [CMD, pg_isready]}\n"},
        "http://127.0.0.1:9090/-/healthy",
    ),
    "an exporter is told of the database that the project has": (
        "scrape-target-unresolved",
        {"compose.yaml": "services:\n  store:\n    image: postgres:16\n", "prometheus.yml": PROMETHEUS},
        'DATA_SOURCE_URI: "store:5432/postgres?sslmode=disable"',
    ),
    "a secret is read in the way of each file": (
        "secret-not-rotatable",
        {
            "compose.yaml": "services:\n  db:\n    image: postgres:16\n    environment:\n"
                            "      POSTGRES_PASSWORD: hunter2-of-ours\n",
            "app/settings.py": 'import os\nPOSTGRES_PASSWORD = "hunter2-of-ours"\n',
        },
        'os.environ["POSTGRES_PASSWORD"]',
    ),
    "an exporter joins the networks of who scrapes it and of what it asks": (
        "scrape-target-unresolved",
        {"compose.yaml": NETWORKS, "prometheus.yml": PROMETHEUS},
        "    networks: [watch, inside]",
    ),
    "a node exporter sees the host, and joins the network of its Prometheus": (
        "alert-metric-unknown",
        {
            "compose.yaml": NETWORKS, "rules.yml": ALERTS,
            "prometheus.yml": f"rule_files: [rules.yml]\n{PROMETHEUS.replace('postgres-exporter:9187', 'api:8000')}",
        },
        "    networks: [watch]\n    command: [\"--path.rootfs=/host\"]\n    pid: host\n"
        "    volumes: [\"/:/host:ro,rslave\"]",
    ),
    "who stands behind a proxy joins the network that the proxy shares with most": (
        "reverse-proxy-upstream-missing",
        {"compose.yaml": NETWORKS, "nginx.conf": NGINX},
        "    networks: [inside]",
    ),
    "monitoring that is added joins the networks of what it scrapes": (
        "monitoring-not-wired",
        {
            "compose.yaml": "services:\n  api: {image: 'example/api:1', networks: [back]}\n"
                            "  web: {image: 'example/web:1', networks: [front]}\nnetworks: {front: {}, back: {}}\n",
            "watch/prometheus.yml": PROMETHEUS.replace("postgres-exporter:9187", "api:8000"),
        },
        "    networks: [back]",
    ),
    "a collector of logs joins the network that most services are in": (
        "log-aggregation-missing",
        {"compose.yaml": "services:\n  api: {image: 'example/api:1', networks: [back]}\n"
                         "  web: {image: 'example/web:1', networks: [back]}\nnetworks: {back: {}}\n"},
        "    image: grafana/loki:<version>\n    networks: [back]",
    ),
    "a collector of logs has its configuration beside the Compose file": (
        "log-aggregation-missing",
        {"deploy/compose.yaml": "services:\n  api: {image: 'example/api:1'}\n  web: {image: 'example/web:1'}\n"},
        "\n# deploy/vector.yaml\nsources:",
    ),
    "new statements reach a database by the files of its project": (
        "init-script-ignored",
        {
            "deploy/compose.prod.yaml": "services:\n  db:\n    image: mariadb:11\n    volumes:\n"
                                        "      - data:/var/lib/mysql\n"
                                        "      - ./a.sql:/docker-entrypoint-initdb.d/a.sql\nvolumes: {data: {}}\n",
            "deploy/a.sql": "CREATE TABLE a (id int);\n",
        },
        "docker compose -f deploy/compose.prod.yaml exec -T db sh -c 'mariadb -uroot",
    ),
    "the file of positions moves into the volume that is made for it": (
        "log-positions-not-kept",
        {
            "watch/promtail.yml": "positions: {filename: /tmp/at.yaml}\nclients: [{url: 'http://loki:3100'}]\n"
                                  "scrape_configs: [{job_name: a, static_configs: [{labels: {__path__: /logs/*}}]}]\n",
            "compose.yaml": "services:\n  promtail:\n    image: grafana/promtail:3.2.1\n"
                            "    volumes: ['./watch/promtail.yml:/etc/promtail/config.yml:ro']\n",
        },
        "# watch/promtail.yml\npositions:\n  filename: /positions/at.yaml\n# compose.yaml\nservices:",
    ),
    "a probe of a connection has a module, and an exporter that makes it": (
        "probe-cannot-succeed",
        {
            "blackbox.yml": "modules:\n  http_2xx: {prober: http}\n",
            "prometheus.yml": "scrape_configs:\n  - job_name: web\n    metrics_path: /probe\n"
                              "    params: {module: [http_2xx]}\n    static_configs: [{targets: ['http://db:3306']}]\n"
                              "    relabel_configs: [{target_label: __address__, replacement: 'blackbox:9115'}]\n",
        },
        '    - {target_label: __address__, replacement: "blackbox:9115"}\n# blackbox.yml\nmodules:\n  tcp_connect:',
    ),
    "packages are installed by the manager whose lock file is there": (
        "lint-not-run",
        {
            "web/package.json": '{"name": "web", "scripts": {"lint": "eslint src"}}', "pnpm-lock.yaml": "",
            "web/eslint.config.js": "export default [];\n", ".github/workflows/ci.yml": CHECKING,
        },
        "- run: corepack enable\n      - run: pnpm install --frozen-lockfile\n      - run: pnpm exec eslint .",
    ),
    "a linter that isn't of Python isn't installed by pip": (
        "lint-not-run", {".golangci.yml": "linters: {}\n", ".github/workflows/ci.yml": CHECKING},
        "- uses: golangci/golangci-lint-action@",
    ),
    "an exporter gets a login of its own, and its server the user": (
        "exporter-as-superuser",
        {"compose.prod.yaml": "services:\n  db:\n    image: postgres:16\n"
                              "    environment: {POSTGRES_PASSWORD: '${PASSWORD}'}\n  exporter:\n"
                              "    image: prometheuscommunity/postgres-exporter:v0.15.0\n    environment:\n"
                              "      DATA_SOURCE_NAME: postgresql://postgres:${PASSWORD}@db:5432/shop\n"},
        "GRANT pg_monitor TO monitoring;\"\nexporter:\n  environment:\n"
        "    DATA_SOURCE_URI: db:5432/shop  # in place of DATA_SOURCE_NAME\n    DATA_SOURCE_USER: monitoring",
    ),
    "a migration is built and configured as the service whose image holds it": (
        "migration-not-run",
        {
            "deploy/compose.yaml": "services:\n  api:\n    build: {context: .., dockerfile: docker/Dockerfile}\n"
                                   "    env_file: api.env\n",
            "docker/Dockerfile": "FROM python:3.12-slim\nCOPY . .\n", "alembic.ini": "[alembic]\n",
            "alembic/versions/a.py": "",
        },
        "migrate:\n  build: {context: .., dockerfile: docker/Dockerfile}\n  command: alembic upgrade head\n"
        "  env_file: <as of api>\n",
    ),
    "what a build takes its values from stays in its context": (
        "environment-copied-into-image",
        {
            "compose.yaml": "services:\n  web: {build: ., env_file: .env}\n",
            "Dockerfile": "FROM node:22\nCOPY . .\nRUN npm run build\n", ".env": "API_TOKEN=hunter2-of-ours-Kq8vT2\n",
            ".env.production": "VITE_API=https://api.acme.io\n",
        },
        "**/.env*\n!**/.env.example\n!**/.env.production",
    ),
    "a service that reads nothing of a file does without it": (
        "env-file-overshared",
        {
            "compose.yaml": "services:\n  db: {image: 'postgres:16', env_file: shop.env}\n"
                            "  cache: {image: 'redis:7', env_file: shop.env}\n  api: {build: ., env_file: shop.env}\n",
            "shop.env": "POSTGRES_PASSWORD=hunter2-of-ours-Kq8vT2\nPOSTGRES_USER=shop\nAPI_TOKEN=abcd-Kq8vT2xW9zLm\n",
            "Dockerfile": "FROM python:3.12-slim\nCOPY . .\nCMD [\"python\", \"main.py\"]\n",
            "main.py": "import os\nos.environ['API_TOKEN']\n",
        },
        "cache:\n  # without env_file",
    ),
    "an exporter is scraped by a job of its own": (
        "exporter-not-scraped",
        {
            "compose.yaml": "services:\n  redis-exporter: {image: 'oliver006/redis_exporter:v1.63.0'}\n"
                            "  prometheus:\n    image: prom/prometheus:v3.4.2\n"
                            "    volumes: ['./watch/prometheus.yml:/etc/prometheus/prometheus.yml:ro']\n",
            "watch/prometheus.yml": PROMETHEUS,
        },
        "# watch/prometheus.yml\nscrape_configs:\n  - job_name: redis-exporter\n",
    ),
    "an image that gets its code by name is given the migrations too": (
        "migration-not-run",
        {
            "compose.yaml": "services:\n  api: {build: .}\n", "alembic.ini": "[alembic]\n",
            "migrations/versions/a.py": "", "Dockerfile": "FROM python:3.12-slim\nCOPY app app\n", "app/main.py": "",
        },
        "# Dockerfile\nCOPY alembic.ini alembic.ini\nCOPY migrations migrations\n# compose.yaml\nmigrate:\n",
    ),
    "a question that the image can't ask is asked in its language": (
        "healthcheck-tool-missing",
        {
            "compose.yaml": f"{API}    healthcheck: {{test: [CMD, curl, -f, 'http://localhost:9000/ready']}}\n",
            "api/Dockerfile": DOCKERFILE,
        },
        "r.urlopen('http://localhost:9000/ready')",
    ),
    "a profile is activated together with those that its services wait for": (
        "service-behind-profile",
        {"compose.yaml": "services:\n  proxy: {image: 'nginx:1.27', profiles: [production], depends_on: [web]}\n"
                         "  web: {image: 'example/web:1', profiles: [frontend], depends_on: [api]}\n"
                         "  api: {image: 'example/api:1', profiles: [backend, all]}\n"},
        "docker compose --profile production --profile frontend --profile backend up -d",
    ),
    "a database with a volume is told its new password": (
        "credential-default",
        {"compose.yaml": "services:\n  db:\n    image: postgres:16\n    volumes: ['data:/var/lib/postgresql/data']\n"
                         "    environment: {POSTGRES_PASSWORD: '${DB_PASSWORD:-hunter2-of-ours}'}\n"
                         "volumes: {data: {}}\n"},
        """ALTER USER CURRENT_USER PASSWORD :'new'" | docker compose exec -T -e NEW="$DB_PASSWORD" db sh -c""",
    ),
    "so is MariaDB, for all addresses of root": (
        "credential-default",
        {"compose.yaml": "services:\n  db:\n    image: mariadb:11\n    volumes: ['data:/var/lib/mysql']\n"
                         "    environment: {MARIADB_ROOT_PASSWORD: hunter2-of-ours}\nvolumes: {data: {}}\n"},
        """docker compose exec -T db sh -c 'mariadb -uroot -p"$MARIADB_ROOT_PASSWORD"'""",
    ),
    "so is a user of MySQL": (
        "credential-default",
        {"compose.yaml": "services:\n  db:\n    image: mysql:8.4\n    volumes: ['data:/var/lib/mysql']\n"
                         "    environment: {MYSQL_USER: app, MYSQL_PASSWORD: hunter2-of-ours}\nvolumes: {data: {}}\n"},
        """echo "SET PASSWORD = '$MYSQL_PASSWORD'" | docker compose exec -T db sh -c 'mysql -u"$MYSQL_USER\"""",
    ),
    "a user of MariaDB may not alter users, even itself": (
        "credential-default",
        {"compose.yaml": "services:\n  db:\n    image: mariadb:11\n    volumes: ['data:/var/lib/mysql']\n"
                         "    environment: {MYSQL_USER: app, MYSQL_PASSWORD: hunter2-of-ours}\nvolumes: {data: {}}\n"},
        """"SET PASSWORD = PASSWORD('$MYSQL_PASSWORD')" | docker compose exec -T db sh -c 'mariadb -u"$MYSQL_USER\"""",
    ),
    **{
        f"whatever else replaces the password of a database with a volume tells it: {rule}": (rule, KEPT | more, TOLD)
        for rule, more in REPLACING.items()
    },
    "databases with a password each are told theirs": (
        "credential-default",
        {"compose.yaml": "services:\n" + "".join(
            f"  {name}:\n    image: postgres:16\n    volumes: ['{name}:/var/lib/postgresql/data']\n"
            f"    environment: {{POSTGRES_PASSWORD: hunter2-of-{name}}}\n" for name in ("shop", "blog")
        ) + "volumes: {shop: {}, blog: {}}\n"},
        """-e NEW="$BLOG_POSTGRES_PASSWORD" blog sh -c""",
    ),
    "so is MongoDB": (
        "credential-default",
        {"compose.yaml": "services:\n  db:\n    image: mongo:7\n    volumes: ['data:/data/db']\n"
                         "    environment: {MONGO_INITDB_ROOT_PASSWORD: hunter2-of-ours}\nvolumes: {data: {}}\n"},
        "db.changeUserPassword(process.env.MONGO_INITDB_ROOT_USERNAME, process.env.NEW)",
    ),
    "a database that is told of no user is told of the one that its clients name": (
        "database-login-differs",
        {"compose.yaml": "services:\n  db:\n    image: postgres:16\n"
                         "    environment: {POSTGRES_PASSWORD: hunter2-of-ours}\n"
                         "  api:\n    image: example/api:1\n"
                         "    environment: {DATABASE_URL: 'postgresql://app:hunter2-of-ours@db:5432/shop'}\n"},
        "    POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}\n    POSTGRES_USER: app\n    POSTGRES_DB: shop",
    ),
    "a client names the user that its database is told of": (
        "database-login-differs",
        {"compose.yaml": "services:\n  db:\n    image: mariadb:11\n    environment: {MARIADB_USER: shop, "
                         "MARIADB_PASSWORD: hunter2-of-ours, MARIADB_DATABASE: shop}\n"
                         "  api:\n    image: example/api:1\n"
                         "    environment: {DATABASE_URL: 'mysql://app:hunter2-of-ours@db:3306/shop'}\n"},
        "    DATABASE_URL: mysql://shop:${MARIADB_PASSWORD:?set it in .env}@db:3306/shop\ndb:\n  environment:\n"
        "    MARIADB_PASSWORD: ${MARIADB_PASSWORD:?set it in .env}",
    ),
    "a draft of a health check is the one that is known to fit": (
        "healthcheck-missing",
        {"compose.yaml": "services:\n  watch:\n    image: prom/alertmanager:v0.28.1\n  db:\n    image: postgres:16\n"
                         "    healthcheck: {test: [CMD, pg_isready]}\n"},
        'test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9093/-/healthy"]',
    ),
    "a file that is taken out leaves a template without its secrets": (
        "env-file-committed",
        {"shop/api.env": "DEBUG=0\nAPI_TOKEN=hunter2-of-ours-Kq8vT2\n"},
        "sed -E 's/^((export )?(API_TOKEN)) *=.*/\\1=<…>/' shop/api.env > shop/api.env.example",
    ),
    "a service that reads a file that is taken out gets a copy of the template": (
        "env-file-committed",
        {
            "compose.yaml": "services:\n  api: {image: 'example/api:1', env_file: api.env}\n",
            "api.env": "API_TOKEN=hunter2-of-ours-Kq8vT2\n",
        },
        "# before each start of api, in CI too: cp -n api.env.example api.env",
    ),
    "every folder with a Dockerfile is kept up to date": (
        "dependency-updates-missing",
        {"Dockerfile": "FROM a:1\n", "api/Dockerfile": "FROM a:1\n", "web app/Dockerfile": "FROM a:1\n"},
        '- package-ecosystem: docker\n    directories: [/, /api, "/web app"]',
    ),
    "so is every folder with packages": (
        "dependency-updates-missing",
        {"api/requirements.txt": "flask==3.0.0\n", "jobs/requirements.txt": "flask==3.0.0\n"},
        "- package-ecosystem: pip\n    directories: [/api, /jobs]",
    ),
    "a runbook is linked where the repository is shown": (
        "runbook-missing",
        {"rules.yml": ALERTS, ".git/config": '[remote "origin"]\n\turl = git@github.com:acme/shop.git\n'},
        "runbook_url: https://github.com/acme/shop/blob/main/docs/runbooks.md#diskfull",
    ),
    "a runbook is linked by a placeholder where nobody knows that": (
        "runbook-missing",
        {"rules.yml": ALERTS},
        "runbook_url: https://<where the documents are>/docs/runbooks.md#diskfull",
    ),
    "a check of a configuration finds the rules where the service mounts them": (
        "configuration-unchecked",
        {
            "compose.yaml": "services:\n  prometheus:\n    image: prom/prometheus:v3.4.2\n    volumes:\n"
                            "      - ./watch/prometheus.yml:/etc/prometheus/prometheus.yml:ro\n"
                            "      - ./rules:/etc/prometheus/rules:ro\n      - data:/prometheus\nvolumes: {data: {}}\n",
            "watch/prometheus.yml": f"rule_files: [/etc/prometheus/rules/a.yml]\n{PROMETHEUS}", "rules/a.yml": ALERTS,
            ".github/workflows/ci.yml": CHECKING,
        },
        'docker run --rm -v "$PWD/watch/prometheus.yml:/etc/prometheus/prometheus.yml:ro" '
        '-v "$PWD/rules:/etc/prometheus/rules:ro" --entrypoint promtool\n'
        "    prom/prometheus:v3.4.2 check config /etc/prometheus/prometheus.yml",
    ),
    "so it does where no service mounts it, by the image's own folder": (
        "configuration-unchecked",
        {"watch/prometheus.yml": f"rule_files: [/etc/prometheus/a.yml]\n{PROMETHEUS}", "watch/a.yml": ALERTS,
         ".github/workflows/ci.yml": CHECKING},
        '-v "$PWD/watch:/etc/prometheus:ro" --entrypoint promtool\n'
        "    prom/prometheus:<version> check config /etc/prometheus/prometheus.yml",
    ),
    "a password in a command of Compose is a variable of Compose": (
        "credential-in-url",
        {"compose.yaml": "services:\n  api:\n    image: example/api:1\n"
                         f"    command: [\"-dsn\", \"postgres://app:{OURS}@db:5432/app\"]\n"},
        "\npostgres://app:${POSTGRES_PASSWORD:?set it in .env}@db:5432/app",
    ),
    "code puts a password into an address in its own words": (
        "credential-in-url",
        {"db.js": f"const url = 'postgres://app:{OURS}@db:5432/app';\n"},
        "`postgres://app:${encodeURIComponent(process.env.POSTGRES_PASSWORD)}@db:5432/app`",
    ),
    "a published exporter has variables for the parts of its address": (
        "credential-in-url",
        {"compose.yaml": "services:\n  exporter:\n    image: prometheuscommunity/postgres-exporter:v0.15.0\n"
                         f"    environment:\n      DATA_SOURCE_NAME: postgresql://app:{OURS}@db:5432/app?sslmode=disable\n",
         "alembic.ini": f"[alembic]\nsqlalchemy.url = postgresql://app:{OURS}@db/app\n"},
        "DATA_SOURCE_URI: db:5432/app?sslmode=disable\nDATA_SOURCE_USER: app\n"
        "DATA_SOURCE_PASS: ${DATA_SOURCE_NAME_PASSWORD:?set it in .env}",
    ),
    "a mailbox has a mail server, and a name is text": (
        "receiver-placeholder",
        {"alertmanager.yml": "route: {receiver: 'null'}\nreceivers: [{name: 'null'}]\n"},
        '- name: "null"\n    email_configs:\n      - to: <who is to be told>\n        from: <sender>\n'
        "        smarthost: <mail server>:587",
    ),
    "a rule file is mounted where the configuration alone is": (
        "alert-missing",
        {
            "compose.yaml": "services:\n  api: {build: ./api}\n  prometheus:\n    image: prom/prometheus:v3.4.2\n"
                            "    volumes: ['./watch/prometheus.yml:/etc/prometheus/prometheus.yml:ro']\n",
            "watch/prometheus.yml": PROMETHEUS.replace("postgres-exporter:9187", "api:8000"),
        },
        "prometheus:\n  volumes:\n    - ./watch/alerts.yml:/etc/prometheus/alerts.yml:ro",
    ),
    "a rule file is mounted where a relative path leads": (
        "rule-file-not-loaded",
        {
            "compose.yaml": "services:\n  prometheus:\n    image: prom/prometheus:v3.4.2\n"
                            "    volumes: ['./watch/prometheus.yml:/etc/prometheus/prometheus.yml:ro']\n",
            "watch/prometheus.yml": f"rule_files: [watch/rules/a.yml]\n{PROMETHEUS}", "watch/rules/a.yml": ALERTS,
        },
        "    - ./watch/rules/a.yml:/etc/prometheus/watch/rules/a.yml:ro",
    ),
    "a data source goes into the folder that Grafana mounts": (
        "grafana-empty",
        {
            "compose.yaml": "services:\n  grafana:\n    image: grafana/grafana:11.1.0\n"
                            "    volumes: ['./watch/provisioning:/etc/grafana/provisioning']\n",
            "watch/provisioning/dashboards/a.yml": "apiVersion: 1\nproviders: []\n",
        },
        "# watch/provisioning/datasources/main.yaml\napiVersion: 1",
    ),
    "a part of the monitoring is asked below the path that it is reached at": (
        "monitoring-unmonitored",
        {
            "compose.yaml": "services:\n  alertmanager:\n    image: prom/alertmanager:v0.28.0\n"
                            "    command: ['--web.external-url=http://localhost/alertmanager']\n",
            "prometheus.yml": PROMETHEUS,
        },
        "job_name: alertmanager\n    metrics_path: /alertmanager/metrics\n    static_configs:",
    ),
    "alerts that take targets together have no instance in common": (
        "inhibition-never-applies",
        {
            "rules.yml": "groups:\n  - name: a\n    rules:\n"
                         "      - {alert: Down, expr: sum(up) < 1, labels: {severity: page}}\n"
                         "      - {alert: Slow, expr: max(latency) > 1, labels: {severity: warning}}\n",
            "alertmanager.yml": "route: {receiver: a}\nreceivers: [{name: a}]\ninhibit_rules:\n"
                                "  - source_matchers: ['severity=\"page\"']\n"
                                "    target_matchers: ['severity=\"warning\"']\n    equal: [alertname]\n",
        },
        "equal: [<a label that both alerts have>]",
    ),
    "an exporter that is in another project than its service is put into the network of that": (
        "service-unmonitored",
        {
            "compose.yaml": "services:\n  api: {build: ./api}\n  mongo: {image: 'mongo:7'}\n",
            "watch/compose.yaml": "services:\n  prometheus:\n    image: prom/prometheus:v3.4.2\n"
                                  "    extra_hosts: ['host.docker.internal:host-gateway']\n"
                                  "    volumes: ['./prometheus.yml:/etc/prometheus/prometheus.yml:ro']\n",
            "watch/prometheus.yml": PROMETHEUS.replace("postgres-exporter:9187", "api:8000"),
        },
        "    # mongo is in the project of compose.yaml: mongodb-exporter has to be in its network too",
    ),
    "the secret of a receiver is given to the Alertmanager that reads it": (
        "receiver-placeholder",
        {
            "compose.yaml": "services:\n  alertmanager:\n    image: prom/alertmanager:v0.28.0\n"
                            "    volumes: ['./alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro']\n",
            "alertmanager.yml": "route: {receiver: team}\nreceivers: [{name: team}]\n",
        },
        "  alertmanager:\n    secrets: [team_password]\nsecrets:\n  team_password: {file: ./secrets/team_password}",
    ),
    "a program is asked at the port of its own health check": (
        "service-unmonitored",
        {
            "compose.yaml": "services:\n  api: {build: ./api}\n  web:\n    image: example/web:1\n    healthcheck:\n"
                            "      test: wget -qO- http://localhost:3000\n",
            "prometheus.yml": PROMETHEUS.replace("postgres-exporter:9187", "api:8000"),
        },
        '      - targets: ["http://web:3000"]',
    ),
    "a copy is made of the mount, whatever Compose calls the volume": (
        "backup-missing",
        {"deploy/compose.yaml": "services:\n  prometheus:\n    image: prom/prometheus:v3.4.2\n"
                                "    volumes: ['data:/prometheus']\nvolumes: {data: {}}\n"},
        '--volumes-from "$(docker compose -f deploy/compose.yaml ps -aq prometheus):ro" \\\n'
        "  restic/restic backup /prometheus",
    ),
    "an application that a job asks in vain is instrumented, without another job": (
        "alert-metric-unknown",
        {
            "compose.yaml": "services:\n  api: {build: ./api}\n",
            "api/Dockerfile": DOCKERFILE, "api/requirements.txt": "fastapi==0.110.0\n", "api/main.py": HEALTH,
            "prometheus.yml": f"rule_files: [rules.yml]\n{PROMETHEUS.replace('postgres-exporter:9187', 'api:8000')}",
            "rules.yml": ALERTS.replace("node_filesystem_avail_bytes", "http_requests_total"),
        },
        '# api/main.py\nInstrumentator().instrument(app).expose(app, endpoint="/metrics")',
    ),
    "a further job has a name of its own": (
        "alert-metric-unknown",
        {
            "compose.yaml": NETWORKS.replace("  proxy:", "  host: {image: 'prom/node-exporter:v1.8.2'}\n  proxy:"),
            "rules.yml": ALERTS,
            "prometheus.yml": "rule_files: [rules.yml]\nscrape_configs:\n  - job_name: host\n"
                              "    static_configs: [{targets: ['api:8000']}]\n",
        },
        "job_name: host-metrics",
    ),
    "a node exporter that is shown the host is still asked by its name": (
        "exporter-sees-container",
        {"compose.yaml": "services:\n  host: {image: 'prom/node-exporter:v1.8.2', networks: [watch]}\n"
                         "networks: {watch: {}}\n"},
        'command: ["--path.rootfs=/host"]\n  pid: host\n  volumes: ["/:/host:ro,rslave"]\n  # the host',
    ),
    "a guide builds what is built on the host": (
        "deployment-guide-missing", {"compose.yaml": API, "api/Dockerfile": DOCKERFILE, "api/main.py": HEALTH},
        "pull --ignore-buildable\n    docker compose up --detach --wait --build",
    ),
    "a release comes back as it is deployed": (
        "rollback-undocumented",
        {"compose.yaml": API, "api/Dockerfile": DOCKERFILE, "README.md": "# Shop\n", ".github/workflows/deploy.yml":
         "on: push\njobs:\n  deploy:\n    runs-on: x\n    steps: [{run: kubectl apply -f k8s}]\n"},
        "`kubectl rollout undo deployment/<name>`",
    ),
    "a release comes back by the command that deploys it": (
        "rollback-undocumented",
        {"compose.yaml": API, "api/Dockerfile": DOCKERFILE, "README.md": "# Shop\n",
         "deploy.sh": "#!/bin/sh\ndocker compose -f compose.yaml -f prod.yaml up -d --build\n"},
        "then `docker compose -f compose.yaml -f prod.yaml up -d --build`",
    ),
    "a release that is built on the host comes back by its commit": (
        "rollback-undocumented",
        {"compose.yaml": API, "api/Dockerfile": DOCKERFILE, "README.md": "# Shop\n", ".github/workflows/deploy.yml":
         "on: push\njobs:\n  deploy:\n    runs-on: x\n    steps: [{run: ./deploy.sh}]\n"},
        "`git checkout <that release>`, then `docker compose up -d --build`",
    ),
    "a container gets the credential by the name that it reads": (
        "credential-default",
        {"compose.yaml": "services:\n  grafana:\n    image: grafana/grafana:11.0.0\n    environment:\n"
                         "      GF_SECURITY_ADMIN_PASSWORD: ${GRAFANA_PASSWORD:-admin}\n"},
        "GF_SECURITY_ADMIN_PASSWORD: ${GRAFANA_PASSWORD:?set it in .env}",
    ),
    "containers that call a credential differently are told apart": (
        "credential-default",
        {"compose.yaml": "services:\n"
                         "  db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: '${DB_PASSWORD:-x1y2}'}}\n"
                         "  api: {image: 'example/api:1', environment: {DB_PASSWORD: '${DB_PASSWORD:-x1y2}'}}\n"},
        "db:\n  environment:\n    POSTGRES_PASSWORD: ${DB_PASSWORD:?set it in .env}\napi:\n  environment:\n    DB_PASS",
    ),
    "a job that asks Compose is given what it now demands": (
        "credential-default",
        {**KEPT, ".env.example": "TZ=UTC\n", ".github/workflows/ci.yml":
         "on: push\njobs:\n  lint:\n    runs-on: x\n    steps: [{run: docker compose config -q}]\n"},
        "# .env.example\nPOSTGRES_PASSWORD=\n# .github/workflows/ci.yml\njobs:\n  lint:\n    env:\n"
        "      POSTGRES_PASSWORD: <a value for this run>",
    ),
    "an image is built with the folder that has what it copies": (
        "image-built-after-merge",
        {"api/Dockerfile": "FROM python:3.12-slim\nCOPY shared/a.py api/b.py ./\n", "shared/a.py": "", "api/b.py": "",
         "tests/test_a.py": "def test_a():\n    assert True\n", ".github/workflows/ci.yml":
         "on: {push: {branches: [main]}, pull_request: {}}\njobs:\n"
         "  test:\n    runs-on: x\n    steps: [{run: pytest}]\n"
         "  image:\n    if: github.event_name == 'push'\n    runs-on: x\n    steps:\n"
         "      - uses: docker/build-push-action@v6\n        with: {context: ., file: api/Dockerfile}\n"},
        "docker build --file api/Dockerfile .",
    ),
    "an image is built with the folder that the workflow gives it": (
        "image-built-after-merge",
        {"api/Dockerfile": "FROM python:3.12-slim\nCOPY . .\n",
         "tests/test_a.py": "def test_a():\n    assert True\n", ".github/workflows/ci.yml":
         "on: {push: {branches: [main]}, pull_request: {}}\njobs:\n"
         "  test:\n    runs-on: x\n    steps: [{run: pytest}]\n"
         "  image:\n    if: github.event_name == 'push'\n    runs-on: x\n    steps:\n"
         "      - uses: docker/build-push-action@v6\n        with: {context: ., file: api/Dockerfile}\n"},
        "docker build --file api/Dockerfile .",
    ),
    "JavaScript throws where a variable is missing": (
        "setting-default-insecure", {"app.js": f'const s = process.env.API_SECRET || "{OURS}";\n'},
        'const value = process.env.API_SECRET;\nif (!value) throw new Error("API_SECRET is not set");',
    ),
    "decouple goes on reading its file": (
        "setting-default-insecure",
        {"shop/settings.py": f'from decouple import config\nAPI_SECRET = config("API_SECRET", default="{OURS}")\n'},
        '\nconfig("API_SECRET")',
    ),
    "so does a project whose variables stand in it": (
        "env-file-committed",
        {
            "compose.yaml": "services:\n  api: {image: 'example/api:1', environment: {API_TOKEN: '${API_TOKEN:?}'}}\n",
            ".env": "API_TOKEN=hunter2-of-ours-Kq8vT2\n",
        },
        "# before each start of compose.yaml, in CI too: cp -n .env.example .env",
    ),
}  # fmt: skip


def found(rule, files, folder):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    for command in (["git", "init", "--quiet"], ["git", "add", "--force", "."]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    inventory = readers.read(Source(folder))
    return rules.check(inventory, graph.build(inventory), [rules.find(rule)])[0]


@pytest.mark.parametrize("name", CASES)
def test_lines_to_write_are_in_the_names_of_the_repository(name, tmp_path):
    rule, files, expected = CASES[name]
    findings = found(rule, files, tmp_path)

    assert any(expected in f"{item.example}{item.change[1]}" for item in findings)
    assert not any("hunter2" in f"{item.example}{item.change}" for item in findings)


def test_a_service_is_added_without_networks_where_all_are_in_the_default_one(tmp_path):
    files = {"compose.yaml": "services:\n  store:\n    image: postgres:16\n", "prometheus.yml": PROMETHEUS}
    findings = found("scrape-target-unresolved", files, tmp_path)

    assert "networks" not in findings[0].example


def test_the_job_that_asks_an_application_in_vain_is_named(tmp_path):
    _, files, _ = CASES["an application that a job asks in vain is instrumented, without another job"]
    (finding,) = found("alert-metric-unknown", files, tmp_path)

    assert "Add a client library of Prometheus to api, which the job db asks already" in finding.recommendation
    assert "job_name" not in finding.example


def test_all_stores_are_named_that_have_a_port_to_close(tmp_path):
    stores = "services:\n  db: {image: 'postgres:16', ports: ['5432:5432']}\n" + (
        "  cache: {image: 'redis:7', ports: ['6380:6379']}\n"
    )
    (finding,) = found("datastore-port-published", {"compose.yaml": stores}, tmp_path)

    assert finding.recommendation == (
        'Remove the ports of db and cache, or publish them as `"127.0.0.1:5432:5432"` and `"127.0.0.1:6380:6379"`.'
    )
