-- SPDX-License-Identifier: Apache-2.0
SELECT 2 + 2 AS sum;
