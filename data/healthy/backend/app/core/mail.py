"""Messages to agents."""

import smtplib
from email.message import EmailMessage

from app.core.settings import settings


def send(recipient: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"] = settings.MAIL_FROM
    message["To"] = recipient
    message["Subject"] = subject
    message.set_content(text)
    with smtplib.SMTP(settings.SMTP_HOST, settings.SMTP_PORT) as server:
        server.starttls()
        server.send_message(message)
