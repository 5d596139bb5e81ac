from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app.api import auth, chat, documents, properties
from app.core.logging import configure_logging
from app.core.rate_limit import rate_limit
from app.core.settings import settings

configure_logging()

app = FastAPI(title=settings.PROJECT_NAME, debug=settings.DEBUG)

app.add_middleware(
    CORSMiddleware,
    allow_origins=settings.allowed_origins,
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)

limited = [Depends(rate_limit)]
app.include_router(auth.router, prefix="/api/v1/auth", tags=["auth"])
app.include_router(properties.router, prefix="/api/v1/properties", tags=["properties"])
app.include_router(documents.router, prefix="/api/v1/documents", tags=["documents"])
app.include_router(chat.router, prefix="/api/v1/chat", tags=["chat"], dependencies=limited)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy", "environment": settings.ENVIRONMENT}
