"""Services of others that a program can only reach through the internet, by the variables and addresses that say so.

Sources: the documentation of each service's API, which names the host, and of its libraries, which name the variable.
"""

from __future__ import annotations

from auditlib.inventory.stack import Endpoint
from auditlib.patterns import regex

_VARIABLES = (
    (r"TELEGRAM_(?:BOT_)?TOKEN|TELEGRAM_\w*BOT_TOKEN|TG_BOT_TOKEN", "Telegram"),
    (r"OPENAI_API_KEY", "OpenAI"), (r"ANTHROPIC_API_KEY", "Anthropic"), (r"(?:GEMINI|GOOGLE_AI)_API_KEY", "Gemini"),
    (r"MISTRAL_API_KEY", "Mistral"), (r"DEEPSEEK_API_KEY", "DeepSeek"), (r"GROQ_API_KEY", "Groq"),
    (r"OPENROUTER_API_KEY", "OpenRouter"), (r"COHERE_API_KEY", "Cohere"),
    (r"STRIPE_(?:SECRET_KEY|API_KEY|SECRET)", "Stripe"), (r"PAYPAL_(?:CLIENT_SECRET|SECRET)", "PayPal"),
    (r"SENDGRID_API_KEY", "SendGrid"), (r"MAILGUN_API_KEY", "Mailgun"), (r"RESEND_API_KEY", "Resend"),
    (r"POSTMARK_(?:API_)?TOKEN|POSTMARK_SERVER_TOKEN", "Postmark"), (r"TWILIO_AUTH_TOKEN", "Twilio"),
    (r"SLACK_(?:WEBHOOK_URL|BOT_TOKEN)", "Slack"), (r"DISCORD_(?:WEBHOOK_URL|BOT_TOKEN|TOKEN)", "Discord"),
    (r"CLOUDINARY_(?:URL|API_SECRET)", "Cloudinary"), (r"GOOGLE_(?:OAUTH_)?CLIENT_SECRET", "Google"),
    (r"GITHUB_(?:OAUTH_)?CLIENT_SECRET", "GitHub"), (r"FIREBASE_PRIVATE_KEY", "Firebase"),
    (r"CLOUDFLARE_API_TOKEN|CF_DNS_API_TOKEN", "Cloudflare"),
)  # fmt: skip
_KNOWN = tuple((regex(rf"^(?:\w+?_)?(?:{pattern})$"), name) for pattern, name in _VARIABLES)
_SUFFIXES = (
    "amazonaws.com", "googleapis.com", "telegram.org", "openai.com", "anthropic.com", "stripe.com", "paypal.com",
    "sendgrid.net", "sendgrid.com", "mailgun.org", "mailgun.net", "resend.com", "twilio.com", "slack.com",
    "discord.com", "cloudinary.com", "sentry.io", "mongodb.net", "upstash.io", "neon.tech", "supabase.co", "gmail.com",
    "office365.com", "outlook.com", "yandex.ru", "mail.ru", "cloudflarestorage.com", "digitaloceanspaces.com",
    "backblazeb2.com", "windows.net", "azure.com", "mistral.ai", "deepseek.com", "groq.com", "cohere.ai",
)  # fmt: skip
"""How the hosts of such services end."""
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
"""Variables by which a program is told of a way out, in lower case too."""


def of_variable(name: str) -> str:
    """The service that a variable holds the login of; empty for any other."""
    return next((service for pattern, service in _KNOWN if pattern.match(name.upper())), "")


def is_address(end: Endpoint) -> bool:
    """Whether an address is that of such a service."""
    return any(end.host == suffix or end.host.endswith(f".{suffix}") for suffix in _SUFFIXES)
