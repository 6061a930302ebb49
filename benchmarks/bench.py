import sys,time; sys.path.insert(0,'/work/main/src')
from datetime import date
from pathlib import Path
from prorata.engine.policy.reading import read_policy
from prorata.engine.intake import read_history
from prorata.engine.bill import bill
pol=read_policy(Path('/work/main/src/prorata/policies/mainter.toml').read_text(),name='m',source='m')
rows=[('2026-01-01','activate',f'u{i}') for i in range(8)]
k=8
for m in range(1,13):
    rows+= [(f'2026-{m:02}-07','activate',f'u{k}'),(f'2026-{m:02}-13','deactivate',f'u{k-8}'),(f'2026-{m:02}-22','activate',f'u{k+1}')]
    k+=2
s=read_history([dict(zip(('at','event','user'),r)) for r in rows],policy=pol,plan='PRO')
n=500
for _ in range(3):
    t=time.perf_counter()
    for _ in range(n): b=bill(s,through=date(2026,12,31))
    t=time.perf_counter()-t
    print(12*n/t,'periods/s', sum(len(d.lines) for d in b.documents)/12,'lines/period')
import cProfile,pstats
pr=cProfile.Profile(); pr.enable()
for _ in range(200): bill(s,through=date(2026,12,31))
pr.disable(); pstats.Stats(pr).sort_stats('tottime').print_stats(22)
