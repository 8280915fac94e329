/** 256 words that are hard to mistake for each other when they are read out; a byte is one of them. Never changed. */
export const words: readonly string[] = `
  acorn actor album alley amber angle ankle apple apron arrow atlas attic autumn badge bagel baker
  bamboo banjo barrel basil basket beach beacon beard beetle bench berry bicycle bishop blanket
  blossom bonnet book bottle boulder bracket branch bread brick bridge broom bucket buffalo butter
  button cabin cactus camel camera candle canoe canvas carbon carpet carrot castle cedar cello
  chalk cherry chimney cider cinema circus clay cliff clock cloud clover cobalt coconut coffee
  comet copper coral cotton cradle crater cricket crown crystal curtain cymbal daisy desert
  diamond dolphin donkey dragon drum eagle easel echo eclipse elbow elephant ember engine falcon
  feather fern ferry fiddle finger flame flute forest fossil fountain fox galaxy garden garlic
  gecko ginger giraffe glacier glove goblet gondola gravel guitar hammer hammock harbor harvest
  hazel helmet heron hockey honey hornet iceberg igloo indigo island ivory jacket jaguar jasmine
  jelly jigsaw jungle kayak kettle kitten ladder lagoon lantern laurel lemon lentil library lily
  lizard lobster locket magnet mango maple marble meadow melon meteor mirror mitten monkey mosaic
  muffin mustard napkin nectar needle nickel noodle nugget oasis ocean olive onion opera orchid
  otter oyster paddle palace panda paper parrot peanut pebble pelican pepper piano pigeon pillow
  pirate planet plaza pocket pony poppy potato pretzel prism puffin pumpkin puzzle quartz quilt
  rabbit radar radish raven ribbon river robin rocket saddle saffron salmon sandal scarf shadow
  silver sketch spider sponge squirrel summer sunset tango teapot temple thunder ticket tiger
  tomato trumpet tulip tunnel turtle umbrella valley velvet violin walnut walrus whale willow
  window winter wizard yogurt zebra zigzag
`
  .trim()
  .split(/\s+/)
