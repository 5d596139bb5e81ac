from fastapi import APIRouter, Depends
from pydantic import BaseModel

from app.api.auth import current_agent
from app.core.settings import settings
from app.core.vectors import collection, embed, openai

router = APIRouter()


class Question(BaseModel):
    text: str


@router.post("")
def ask(question: Question, agent: str = Depends(current_agent)) -> dict[str, str]:
    found = collection().query(query_embeddings=embed([question.text]), where={"agent": agent}, n_results=5)
    context = "\n\n".join(found["documents"][0]) if found["documents"] else ""
    answer = openai.chat.completions.create(
        model=settings.OPENAI_MODEL,
        messages=[
            {"role": "system", "content": f"Answer from these documents:\n{context}"},
            {"role": "user", "content": question.text},
        ],
    )
    return {"answer": answer.choices[0].message.content or ""}
