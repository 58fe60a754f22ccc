-- SPDX-License-Identifier: Apache-2.0
SELECT 'distance ' || ('[1,2]'::vector <-> '[1,4]'::vector);
