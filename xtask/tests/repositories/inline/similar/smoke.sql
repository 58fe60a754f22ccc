-- SPDX-License-Identifier: Apache-2.0
SELECT string_agg(extname || ' ' || current_setting('max_parallel_workers'), ', ' ORDER BY extname COLLATE "C")
FROM pg_extension WHERE extname IN ('pg_trgm', 'similar_words', 'vector') AND alike('A', 'a');
