-- AlterTable
ALTER TABLE "metric" ADD COLUMN     "guest_memory_bytes" DOUBLE PRECISION;
