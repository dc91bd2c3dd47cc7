.steps[] | "\(.name): \(.seconds) s"
