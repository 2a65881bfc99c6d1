package ownerreztest

// hash mixes numbers into one that looks random and is always the same.
func hash(seed int64, parts ...int64) uint64 {
	const step = 0x9E3779B97F4A7C15
	h := uint64(seed) + step
	for _, part := range parts {
		h ^= uint64(part) + step
		h = (h ^ h>>30) * 0xBF58476D1CE4E5B9
		h = (h ^ h>>27) * 0x94D049BB133111EB
		h ^= h >> 31
	}
	return h
}
