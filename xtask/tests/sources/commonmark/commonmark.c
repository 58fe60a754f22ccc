/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres.h"

#include <cmark.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "varatt.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(commonmark_html);

/* The HTML of a text in CommonMark; what is HTML in it already is left out. */
Datum
commonmark_html(PG_FUNCTION_ARGS)
{
	text	   *markdown = PG_GETARG_TEXT_PP(0);
	char	   *html;
	text	   *result;

	html = cmark_markdown_to_html(VARDATA_ANY(markdown),
								  VARSIZE_ANY_EXHDR(markdown),
								  CMARK_OPT_DEFAULT);
	if (html == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	result = cstring_to_text(html);
	free(html);
	PG_RETURN_TEXT_P(result);
}
