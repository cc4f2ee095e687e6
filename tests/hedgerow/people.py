"""Makes accounts and keys for tests."""

from hedgerow.meta import access, accounts


class Key:
    """A personal API key in use."""

    def __init__(self, text, user):
        self.text, self.user = text, user
        self.header = {"Authorization": f"Bearer {text}"}


def a_key(house, email, *, scopes=("*",), projects=None, roles=None, is_admin=False):
    """A key of somebody who is made if they are not there; ``roles``: project to role."""
    now = house.clock()
    with house.metadata.writing() as session:
        user = accounts.user_by_email(session, email)
        if user is None:
            user = accounts.create_user(session, email, None, now=now, is_admin=is_admin)
        for project_id, role in (roles or {}).items():
            accounts.set_role(session, user.id, project_id, role)
        wish = access.KeyRequest(label="test", scopes=list(scopes), projects=projects)
        _, text = access.make_key(session, user, wish, now)
    return Key(text, user)
