from pathlib import Path

from app.core.celery_app import app
from app.core.vectors import collection, embed

CHUNK = 1500


@app.task
def index_document(path: str, agent: str) -> int:
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    chunks = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
    collection().add(
        ids=[f"{path}:{number}" for number in range(len(chunks))],
        documents=chunks,
        embeddings=embed(chunks),
        metadatas=[{"agent": agent}] * len(chunks),
    )
    return len(chunks)
