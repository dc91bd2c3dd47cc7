# docker buildx bake             builds the frontend's image for this machine
# docker buildx bake image-all   builds it for all platforms, with SBOM and provenance
# docker buildx bake test        runs the tests that need no daemon

variable "REPOSITORY" {
  description = "The image's name without a tag"
  default     = "cachewright/dockerfile"
}

variable "VERSION" {
  description = "The git tag of a release, such as v1.2.3"
  default     = ""
  validation {
    condition     = VERSION == "" || can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?$", VERSION))
    error_message = "VERSION has to be a tag such as v1.2.3 or v1.2.3-rc.1."
  }
}

variable "REVISION" {
  description = "The commit"
  default     = ""
}

variable "SYNTAX" {
  description = "The frontend to build with; empty for the builder's own"
  default     = ""
}

variable "SBOM_GENERATOR" {
  description = "The image of the SBOM scanner; empty for BuildKit's default"
  default     = ""
}

# A release gets the tags 1, 1.2 and 1.2.3, a release candidate its own alone.
function "tags" {
  params = [version]
  result = (
    version == "" ? ["dev"] :
    can(regex("-", version)) ? [trimprefix(version, "v")] :
    [for n in [1, 2, 3] : join(".", slice(split(".", trimprefix(version, "v")), 0, n))]
  )
}

group "default" {
  targets = ["image"]
}

target "image" {
  args = merge(
    { VERSION = VERSION, REVISION = REVISION },
    SYNTAX == "" ? {} : { BUILDKIT_SYNTAX = SYNTAX },
  )
  tags = [for tag in tags(VERSION) : "${REPOSITORY}:${tag}"]
}

target "image-all" {
  inherits  = ["image"]
  platforms = ["linux/amd64", "linux/arm64"]
  attest = [
    SBOM_GENERATOR == "" ? "type=sbom" : "type=sbom,generator=${SBOM_GENERATOR}",
    "type=provenance,mode=max",
  ]
  # The same commit gives the same image, if SOURCE_DATE_EPOCH is its time. --push pushes it.
  output = ["type=image,rewrite-timestamp=true,compression=gzip,compression-level=9,force-compression=true"]
}

target "test" {
  dockerfile = "test.Dockerfile"
  output     = ["type=cacheonly"]
}
