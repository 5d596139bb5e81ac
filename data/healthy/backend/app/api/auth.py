from fastapi import APIRouter, Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jwt import InvalidTokenError

from app.core.mail import send
from app.core.security import create_access_token, read_access_token

router = APIRouter()
bearer = HTTPBearer()


def current_agent(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> str:
    try:
        return read_access_token(credentials.credentials)
    except InvalidTokenError as error:
        raise HTTPException(status_code=401, detail="Invalid token") from error


@router.post("/link", status_code=202)
def send_link(email: str) -> None:
    token = create_access_token(email)
    send(email, "Your sign-in link", f"Sign in with this token: {token}")
