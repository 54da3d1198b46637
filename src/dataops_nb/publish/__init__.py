"""Pages: an executed notebook becomes one shareable file an altitude, and never shows half of a report.

A notebook is data here. What this package knows of a report's content is its facts, which the last code cell displays;
everything else passes an allow-list. `page` builds one page, `site` the front page, `folder` puts a report in its place
in one step, `facts` reads the sentinel and writes facts.json and numbers.csv.

Its modules are imported one by one: whoever only moves folders does not wait for what builds pages.
"""
