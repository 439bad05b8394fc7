"""A model that a request may name, alone and in a list."""

from schemas.base import Base
from schemas.bounds import OneOf
from schemas.fields import Integer, List, Object, String


class ModelSchema(Base):
    id = String(required=True)
    object = String(required=True, validate=OneOf(("model",)))
    created = Integer(required=True, metadata={"description": "Unix seconds; 0, since no endpoint tells."})
    owned_by = String(required=True)


class ModelListSchema(Base):
    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(ModelSchema), required=True)
