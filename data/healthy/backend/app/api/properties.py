from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.database import get_session
from app.models import Property

router = APIRouter()


class PropertyOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    area: str
    bedrooms: int
    price: float


@router.get("")
def search(area: str | None = None, session: Session = Depends(get_session)) -> list[PropertyOut]:
    query = select(Property).order_by(Property.updated_at.desc()).limit(50)
    if area:
        query = query.where(Property.area == area)
    return [PropertyOut.model_validate(row) for row in session.scalars(query)]


@router.get("/{property_id}")
def read(property_id: int, session: Session = Depends(get_session)) -> PropertyOut:
    row = session.get(Property, property_id)
    if row is None:
        raise HTTPException(status_code=404, detail="No such property")
    return PropertyOut.model_validate(row)
