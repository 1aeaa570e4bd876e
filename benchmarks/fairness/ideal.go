package fairness

// ideal is what each of some queues would have of a whole that can be divided at will:
// what all want that is within their part by weight, and of what these leave the others
// by weight again, and so on.
func ideal(weights, wants []float64) []float64 {
	out := make([]float64, len(weights))
	left, weight := 1.0, 0.0
	open := map[int]bool{}
	for i, w := range weights {
		open[i], weight = true, weight+w
	}
	for again := true; again; {
		again = false
		level := left / weight
		for i := range weights {
			if open[i] && wants[i] <= level*weights[i] {
				out[i] = wants[i]
				left, weight, again = left-wants[i], weight-weights[i], true
				delete(open, i)
			}
		}
	}
	for i := range weights {
		if open[i] {
			out[i] = left / weight * weights[i]
		}
	}
	return out
}
