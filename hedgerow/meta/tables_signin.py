"""The table of sign-ins at an identity provider that are under way."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from hedgerow.meta.tables import Row


class SignInBegun(Row):
    """Somebody sent to the provider who is not back yet; good once, for a short time."""

    __tablename__ = "sign_ins_begun"

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    browser_hash: Mapped[str]  # only the browser that went may come back
    nonce: Mapped[str]
    verifier: Mapped[str]  # PKCE: worth nothing without the code
    next: Mapped[str]
    created_at: Mapped[datetime]
