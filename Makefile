# Each target is one line that works without make as well. ARGS are handed on: make test ARGS="-k studio"
.PHONY: run test demo bench chaos shots lint format

run: ; @python3 project/bootstrap.py run $(ARGS)
test: ; @python3 project/bootstrap.py test $(ARGS)
demo: ; @python3 project/bootstrap.py demo $(ARGS)
bench: ; @python3 project/bootstrap.py bench $(ARGS)
chaos: ; @python3 project/bootstrap.py chaos $(if $(N),--faults $(N)) $(if $(SEED),--seed $(SEED)) $(if $(CONTROL),--control) $(ARGS)
shots: ; @python3 project/bootstrap.py shots $(ARGS)
lint: ; @python3 project/bootstrap.py lint $(ARGS)
format: ; @python3 project/bootstrap.py format $(ARGS)
