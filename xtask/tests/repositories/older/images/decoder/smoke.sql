-- SPDX-License-Identifier: Apache-2.0
SELECT 'beside ' || extname FROM pg_extension WHERE extname = 'vector';
