from twinvae.report.collect import main

main()
