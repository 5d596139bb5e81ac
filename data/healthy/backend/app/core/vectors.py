"""The collection of document chunks in ChromaDB."""

from collections.abc import Sequence

import chromadb
from openai import OpenAI

from app.core.settings import settings

EMBEDDING_MODEL = "text-embedding-3-small"
openai = OpenAI(api_key=settings.OPENAI_API_KEY.get_secret_value())


def collection() -> chromadb.Collection:
    client = chromadb.HttpClient(host=settings.CHROMA_HOST, port=settings.CHROMA_PORT)
    return client.get_or_create_collection("documents")


def embed(texts: list[str]) -> list[Sequence[float] | Sequence[int]]:
    answer = openai.embeddings.create(model=EMBEDDING_MODEL, input=texts)
    return [item.embedding for item in answer.data]
