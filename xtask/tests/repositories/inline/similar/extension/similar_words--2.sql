-- SPDX-License-Identifier: Apache-2.0
CREATE FUNCTION alike(a text, b text) RETURNS boolean LANGUAGE sql RETURN lower(a) = lower(b);
