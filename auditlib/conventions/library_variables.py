"""Variables that frameworks and libraries read by themselves, so that no code of an application names them.

Sources: the documentation of each framework and library.
"""

from __future__ import annotations

from auditlib.conventions import environments
from auditlib.patterns import regex

_BY_LIBRARIES = regex(
    r"^(?:PYTHON\w*|PATH|TMP|TEMP|TMPDIR|TZ|LANG|LC_\w+|PORT|HOST|HOSTNAME|HOME|USER|CI|TERM|DISPLAY|NODE_\w+|NPM_\w+|YARN_\w+|PNPM_\w+|"
    r"UV_\w+|PIP_\w+|POETRY_\w+|UVICORN_\w+|GUNICORN_\w+|HYPERCORN_\w+|WEB_CONCURRENCY|CELERY_\w+|C_FORCE_ROOT|FLOWER_\w+|"
    r"DJANGO_\w+|FLASK_\w+|FASTAPI_\w+|OTEL_\w+|AWS_\w+|GOOGLE_\w+|GCLOUD_\w+|AZURE_\w+|SENTRY_\w+|DD_\w+|NEW_RELIC_\w+|"
    r"ELASTIC_APM_\w+|PROMETHEUS_(?:MULTIPROC_DIR|DISABLE_CREATED_SERIES)|"
    r"(?:HTTPS?|NO|ALL)_PROXY|PG[A-Z]+|REQUESTS_CA_BUNDLE|SSL_\w+|JAVA_\w+|JDK_\w+|"
    r"OPENAI_\w+|ANTHROPIC_\w+|HF_\w+|HUGGING\w+|TRANSFORMERS_\w+|CUDA_\w+|NVIDIA_\w+|OMP_\w+|TOKENIZERS_\w+|TORCH_\w+|"
    r"LANGCHAIN_\w+|LANGSMITH_\w+|LD_\w+|MALLOC_\w+|CHOKIDAR_\w+|WATCHPACK_\w+|WATCHFILES_\w+|NEXT_\w+|VITE_\w+|NUXT_\w+|"
    r"REACT_APP_\w+|BROWSER|WDS_\w+|PLAYWRIGHT_\w+|CYPRESS_\w+|PUPPETEER_\w+|(?:FORCE|NO)_COLOR|COMPOSE_\w+|"
    rf"{environments.VARIABLES_OF_DOCKER}|"
    r"TRAEFIK_\w+|VIRTUAL_\w+|LETSENCRYPT_\w+|SSH_\w+|GIT_\w+|GITHUB_\w+|SPRING_\w+|MANAGEMENT_\w+|"
    r"QUARKUS_\w+|MICRONAUT_\w+|ASPNETCORE_\w+|DOTNET_\w+|"
    r"RAILS_\w+|RACK_\w+|BUNDLE_\w+|PRISMA_\w+|"
    # migrations
    r"GOOSE_\w+|DBMATE_\w+|ATLAS_\w+|REFINERY_\w+|DIESEL_\w+|SQITCH_\w+|TERN_\w+|BYTEBASE_\w+|"
    r"AIRFLOW_\w+|SQLALCHEMY_\w+|REDISCLI_AUTH|MPL\w+|NUMBA_\w+|XDG_\w+|DBUS_\w+|PUID|PGID|UMASK|TINI_\w+|S6_\w+|"
    # Go
    r"GIN_MODE|BEEGO_\w+|QUIC_GO_\w+|GRPC_\w+|CGO_\w+|ZONEINFO|KUBECONFIG|"
    r"GO(?:MAXPROCS|GC|MEMLIMIT|DEBUG|TRACEBACK|FLAGS|PROXY|PATH|CACHE|ROOT|COVERDIR|PRIVATE|SUMDB|TOOLCHAIN|TMPDIR)|"
    # Rust
    r"RUST_\w+|RUSTFLAGS|RUSTUP_\w+|CARGO_\w+|ROCKET_\w+|LEPTOS_\w+|SQLX_\w+|TOKIO_WORKER_THREADS|RAYON_NUM_THREADS|"
    # Node
    r"PM2_\w+|NITRO_\w+|ASTRO_\w+|STRAPI_\w+|MEDUSA_\w+|EXPO_\w+|TURBO_\w+|TS_NODE_\w+|BABEL_ENV|JEST_\w+|VITEST_\w+|"
    r"NEXTAUTH_\w+|AUTH_(?:SECRET|URL|TRUST_HOST)|BETTER_AUTH_(?:SECRET|URL)|NG_\w+|GENERATE_SOURCEMAP|PUBLIC_URL|"
    r"PROTOCOL_HEADER|HOST_HEADER|ADDRESS_HEADER|XFF_DEPTH|BODY_SIZE_LIMIT|"
    # Python
    r"FORWARDED_ALLOW_IPS|SCRIPT_NAME|GRANIAN_\w+|WERKZEUG_\w+|STREAMLIT_\w+|GRADIO_\w+|MLFLOW_\w+|WANDB_\w+|JUPYTER_\w+|"
    r"DAGSTER_\w+|PREFECT_\w+|DBT_\w+|LOGURU_\w+|LOGFIRE_\w+|LANGFUSE_\w+|LITELLM_\w+|NLTK_DATA|TESSDATA_PREFIX|"
    r"OPENBLAS_\w+|MKL_\w+|KMP_\w+|NUMEXPR_\w+|TF_\w+|KERAS_\w+|XLA_\w+|JAX_\w+|NCCL_\w+|CUBLAS_\w+|PYTORCH_\w+|VLLM_\w+|"
    r"SENTENCE_TRANSFORMERS_HOME|CURL_CA_BUNDLE|PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION|CLOUDINARY_URL|"
    # PHP
    r"PHP_\w+|COMPOSER_\w+|XDEBUG_\w+|SYMFONY_\w+|OCTANE_\w+|FRANKENPHP_\w+|LARAVEL_\w+|WORDPRESS_\w+|"
    # the Java virtual machine
    r"_JAVA_OPTIONS|CATALINA_\w+|JPDA_\w+|MAVEN_\w+|GRADLE_\w+|LOGGING_LEVEL_\w+|EUREKA_\w+|FLYWAY_\w+|LIQUIBASE_\w+|"
    r"LOG4J_\w+|SPRINGDOC_\w+|RESILIENCE4J_\w+|JHIPSTER_\w+|KTOR_\w+|"
    # .NET
    r"COMPlus_\w+|CORECLR_\w+|COREHOST_\w+|NUGET_\w+|"
    # Ruby and Erlang
    r"RUBY\w*|GEM_\w+|PUMA_\w+|BOOTSNAP_\w+|SECRET_KEY_BASE|MIX_\w+|ERL_\w+|ELIXIR_\w+|"
    r"RELEASE_(?:NODE|COOKIE|DISTRIBUTION|MODE|TMP|NAME))$"
)
_BY_LARAVEL = regex(
    r"(?:APP|SESSION|LOG|AUTH|FILESYSTEM|BROADCAST|AWS|MEMCACHED|DYNAMODB|HASH|BCRYPT|ARGON|SANCTUM|REVERB|PUSHER)_\w+|"
    r"DB_(?:CONNECTION|URL|HOST|PORT|DATABASE|USERNAME|PASSWORD|SOCKET|CHARSET|COLLATION|FOREIGN_KEYS|PREFIX|ENCRYPT|"
    r"SSLMODE|TRUST_SERVER_CERTIFICATE|(?:CACHE|QUEUE)\w*)|DATABASE_URL|"
    r"REDIS_(?:CLIENT|CLUSTER|PREFIX|PERSISTENT|URL|HOST|USERNAME|PASSWORD|PORT|DB|MAX_RETRIES|BACKOFF\w*|CACHE\w*|QUEUE\w*)|"
    r"CACHE_(?:STORE|DRIVER|PREFIX)|QUEUE_(?:CONNECTION|DRIVER|FAILED_DRIVER)|BEANSTALKD_\w+|SQS_\w+|"
    r"MAIL_(?:MAILER|DRIVER|SCHEME|URL|HOST|PORT|USERNAME|PASSWORD|ENCRYPTION|EHLO_DOMAIN|FROM_\w+|LOG_CHANNEL|TIMEOUT|SENDMAIL_PATH)"
)
"""The configuration that Laravel takes where the application has none of its own:
https://github.com/laravel/framework/tree/12.x/config."""


def is_read(variable: str) -> bool:
    """Whether a framework or library reads a variable of this name by itself."""
    return bool(_BY_LIBRARIES.match(variable))


def is_read_by_laravel(variable: str) -> bool:
    """Whether the configuration that Laravel has by itself asks for a variable of this name."""
    return bool(_BY_LARAVEL.fullmatch(variable))
