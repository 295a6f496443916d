from twinvae_collect.collect import main

main()
