from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from prometheus_fastapi_instrumentator import Instrumentator

from app.api import auth, chat, documents, properties
from app.core.logging import configure_logging
from app.core.rate_limit import rate_limit
from app.core.settings import settings

configure_logging()

app = FastAPI(title="PropertyPro AI")

app.add_middleware(
    CORSMiddleware,
    allow_origins=settings.ALLOWED_ORIGINS,
    allow_credentials=True,
    allow_methods=["GET", "POST"],
    allow_headers=["Authorization", "Content-Type"],
)

limited = [Depends(rate_limit)]
app.include_router(auth.router, prefix="/api/v1/auth", tags=["auth"], dependencies=limited)
app.include_router(properties.router, prefix="/api/v1/properties", tags=["properties"])
app.include_router(documents.router, prefix="/api/v1/documents", tags=["documents"])
app.include_router(chat.router, prefix="/api/v1/chat", tags=["chat"], dependencies=limited)

Instrumentator().instrument(app).expose(app, endpoint="/metrics", include_in_schema=False)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}
