package record

// For tests that damage records.
const (
	Magic         = recordMagic
	Version       = recordVersion
	ChecksumBytes = checksumBytes
)

var (
	Checksum     = checksum
	EncodeBuilds = encodeBuilds
)
