language-unknown = escreva en ou pt
