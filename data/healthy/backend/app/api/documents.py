from pathlib import Path
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, UploadFile

from app.api.auth import current_agent
from app.core.settings import settings
from app.tasks.documents import index_document

router = APIRouter()


@router.post("", status_code=202)
async def upload(file: UploadFile, agent: str = Depends(current_agent)) -> dict[str, str]:
    content = await file.read()
    if len(content) > settings.MAX_UPLOAD_SIZE_MB * 1024 * 1024:
        raise HTTPException(status_code=413, detail="File too large")
    target = Path(settings.UPLOAD_DIR) / f"{uuid4().hex}.txt"
    target.write_bytes(content)
    index_document.delay(str(target), agent)
    return {"document": target.stem}
