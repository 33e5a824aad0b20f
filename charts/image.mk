# An OCI image without a daemon: charts/image/build.
.PHONY: image image-check
image: $(OUT)/admitter.bin ## an OCI image in out/<build>/image(.tar)
	@charts/image/build $(OUT)/admitter.bin $(OUT)/image $(VERSION)

image-check: image ## start the program inside the image's root file system
	@charts/image/check $(OUT)/image
